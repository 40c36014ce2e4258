"""`manage.py rotate_keys`: after a new key was put first in ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from editor.management.database import migrate
from editor.operations import provider_keys


class Command(BaseCommand):
    help = (
        "Encrypt everything that is stored encrypted with the first of ENCRYPTION_KEYS; afterwards the "
        "others are not needed any more. Doing it again changes nothing. Works while the portal runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        rotated, lost = provider_keys.rotate_all()
        self.stdout.write(f"{rotated} provider key{'' if rotated == 1 else 's'} encrypted anew.")
        for key in lost:
            self.stderr.write(f"Not readable: {key} of {key.workspace or 'the portal'}")
        if lost:
            raise CommandError(
                f"No key of ENCRYPTION_KEYS opens {len(lost)} of them; they are left as they are."
            )
