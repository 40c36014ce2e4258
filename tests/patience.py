"""Waiting for a thing, however long a busy machine takes for it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from django.db import connection

# Seconds after which what has not come does not come. Says nothing of how fast anything has to be.
PATIENCE = 60.0


async def until(happened: Callable[[], object]) -> None:
    """Return as soon as it is so. Raises TimeoutError where it never is."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


async def until_found(look: Callable[[], Awaitable[object]]) -> None:
    """The same for what has to be asked for, such as a row."""
    async with asyncio.timeout(PATIENCE):
        while not await look():
            await asyncio.sleep(0.02)


def wait_until(happened: Callable[[], object], what: str) -> None:
    """The same without an event loop. `what` did not happen is what a failure says."""
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, f"{what}: not within {PATIENCE:g} seconds"
        time.sleep(0.01)


def somebody_waits_for_our_locks() -> bool:
    """Whether another connection can go on only when this one's transaction has ended."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])
