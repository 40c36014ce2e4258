"""Locks of the database that belong to no row."""

from __future__ import annotations

from django.db import connection


def lock(number: int) -> None:
    """Acquire the advisory lock with this number until the transaction ends. Each use has its own number."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
