"""Readiness of this process, for load balancers and monitoring."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from editor import disk


def failing() -> dict[str, str]:
    """The failing checks, by name, each with a public message; empty if all pass."""
    checks: dict[str, Callable[[], str]] = {"database": _database, "migrations": _migrations, "disk": _disk}
    return {name: message for name, check in checks.items() if (message := check())}


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return "The database does not answer."
    return ""


def _migrations() -> str:
    try:
        return (
            ""
            if _known() <= set(MigrationRecorder(connection).applied_migrations())
            else "The database's tables are not up to date."
        )
    except Error:
        return "Unknown: the database does not answer."


@cache
def _known() -> set[tuple[str, str]]:
    """The migrations that come with this code."""
    return set(MigrationLoader(None).graph.nodes)


def _disk() -> str:
    return "Less disk is free than the reserve (STORAGE_RESERVE)." if disk.is_low() else ""
