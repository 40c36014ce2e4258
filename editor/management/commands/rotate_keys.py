"""`manage.py rotate_keys`: run after putting a new key first in ENCRYPTION_KEYS."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from editor.management.database import migrate
from editor.operations import secrets


class Command(BaseCommand):
    help = (
        "Re-encrypt all stored secrets with the first of ENCRYPTION_KEYS; the others are then no longer "
        "needed. Safe to run again, and while the portal runs."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        migrate()
        done = secrets.rotate_all()
        for count, kind in (
            (done.provider_keys, "provider key"),
            (done.signing_secrets, "signing secret"),
            (done.webhook_secrets, "webhook secret"),
            (done.second_factors, "secret of a second factor"),
        ):
            self.stdout.write(f"{kind}: {count} re-encrypted.")
        for what in done.lost:
            self.stderr.write(f"Cannot decrypt: {what}")
        if done.lost:
            raise CommandError(
                f"No key in ENCRYPTION_KEYS decrypts {len(done.lost)} of them; they were not changed."
            )
