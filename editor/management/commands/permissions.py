"""`manage.py permissions`: writes docs/permissions.md, or checks it and what it lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from editor.management import entry_points, permission_document

DOCUMENT = Path(settings.BASE_DIR) / "docs" / "permissions.md"


class Command(BaseCommand):
    help = (
        "Write docs/permissions.md. With --check, fail if it is out of date, or if a page, API call, MCP "
        "tool or socket names no permission."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing.")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if problems := entry_points.problems():
            raise CommandError("\n".join(problems))
        text = permission_document.text()
        if not check:
            DOCUMENT.write_text(text)
        elif not DOCUMENT.exists() or DOCUMENT.read_text() != text:
            raise CommandError("docs/permissions.md is out of date. Update it with: manage.py permissions")
