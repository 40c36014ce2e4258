"""`manage.py portal`: the whole portal in one process."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import uvloop
from django.core.management.base import BaseCommand, CommandParser

from editor.management.background import background_tasks
from editor.management.database import migrate
from editor.operations import workspaces
from editor.server.serve import serve


class Command(BaseCommand):
    help = "Serve the portal and run its jobs. HOST and PORT set the address (default 127.0.0.1:8000)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--no-worker", action="store_true", help="Only serve; run `manage.py worker` elsewhere."
        )

    def handle(self, *args: Any, no_worker: bool, **options: Any) -> None:
        host, port = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8000"))
        migrate()
        self.stdout.write(f"The portal is running at http://{host}:{port}/ (press Ctrl+C to stop)")
        if workspaces.needs_first_start():
            self.stdout.write("There is no account yet: the first visitor becomes the operator.")
        self.stdout.flush()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(host=host, port=port, with_worker=not no_worker, background=background_tasks()))
