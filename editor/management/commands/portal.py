"""`manage.py portal`: the whole portal in one process."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from editor.management.background import background_tasks
from editor.management.database import migrate
from editor.operations import workspaces
from editor.server.serve import serve
from imageeditor.addresses import opened_at


class Command(BaseCommand):
    help = "Serve the portal and run its jobs. HOST and PORT set the address (default 127.0.0.1:8000)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-worker", action="store_true", help="Only serve; run `manage.py worker` elsewhere."
        )

    def handle(self, *args: Any, no_worker: bool, **options: Any) -> None:
        host, port = os.environ.get("HOST") or "127.0.0.1", _port(os.environ.get("PORT") or "8000")
        migrate()
        first_start = workspaces.needs_first_start()

        def listening(port: int) -> None:
            self._announce(host, port)
            if first_start:
                self.stdout.write("There is no account yet: the first visitor becomes the operator.")
            self.stdout.flush()

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(
                serve(
                    host=host.strip("[]"),
                    port=port,
                    with_worker=not no_worker,
                    background=background_tasks(),
                    listening=listening,
                )
            )

    def _announce(self, host: str, port: int) -> None:
        if settings.BASE_URL:
            place = f"{settings.BASE_URL}/ and listens on {host}, port {port}"
        else:
            place = opened_at(listening=host, port=port, allowed=settings.ALLOWED_HOSTS)
        self.stdout.write(f"The portal is running at {place} (press Ctrl+C to stop)")


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise CommandError(f"PORT must be a number up to 65535, not “{text}”.")
    return int(text)
