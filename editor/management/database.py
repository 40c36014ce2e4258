"""Bringing the database's tables up to date, whoever starts first."""

from __future__ import annotations

from django.core.management import call_command
from django.db import connection

# A number nobody else uses, for the lock that makes migrations follow one another.
_MIGRATE_LOCK = 7_210_002


def migrate() -> None:
    """Apply what is missing. Several processes that start at once wait for the first of them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATE_LOCK])
    try:
        call_command("migrate", verbosity=0, interactive=False)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATE_LOCK])
