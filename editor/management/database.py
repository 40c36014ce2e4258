"""Database migrations at startup, by whichever process starts first."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection

# Unique key of the advisory lock that serializes migrations.
_MIGRATE_LOCK = 7_210_002


def migrate() -> None:
    """Apply missing migrations. Processes that start at the same time wait for the first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATE_LOCK])
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATE_LOCK])
