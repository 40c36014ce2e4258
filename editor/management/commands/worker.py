"""`manage.py worker`: run jobs only, on a machine or in a process of their own."""

from __future__ import annotations

import asyncio
from typing import Any

import uvloop
from django.conf import settings
from django.core.management.base import BaseCommand

from editor.management.background import background_tasks
from editor.management.database import migrate
from editor.server.serve import work


class Command(BaseCommand):
    help = "Run the portal's jobs, without serving pages."

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        if not settings.REDIS_URL:
            self.stderr.write(
                "REDIS_URL is not set: jobs will run, but pages served by other processes "
                "will not show their results until they are reloaded."
            )
        self.stdout.write("The worker is running (press Ctrl+C to stop)")
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work(background=background_tasks()))
