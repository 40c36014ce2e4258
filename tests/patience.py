"""Waiting for conditions, however slow a busy machine is."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")

# Seconds after which waiting fails. Not a requirement on how fast anything has to be.
PATIENCE = 120.0


async def until(happened: Callable[[], object]) -> None:
    """Return as soon as `happened()` is true. Raises TimeoutError if it never is."""
    async with asyncio.timeout(PATIENCE):
        while not happened():
            await asyncio.sleep(0.01)


async def until_found(look: Callable[[], Awaitable[object]]) -> None:
    """The same for an asynchronous condition, such as a query."""
    async with asyncio.timeout(PATIENCE):
        while not await look():
            await asyncio.sleep(0.02)


def wait_until(
    look: Callable[[], T],
    otherwise: str | Callable[[], object] = "it did not come about",
    *,
    pause: Callable[[float], object] = time.sleep,
) -> T:
    """The same without an event loop; returns the result of `look`.

    otherwise  message of a failure
    pause      waits for the given number of seconds
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := look()):
        if time.monotonic() > deadline:
            raise AssertionError(otherwise if isinstance(otherwise, str) else otherwise())
        pause(0.05)
    return found


def somebody_waits_for_our_locks() -> bool:
    """Whether another connection waits for the end of this one's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM pg_locks"
            " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
        )
        return bool(cursor.fetchone()[0])
