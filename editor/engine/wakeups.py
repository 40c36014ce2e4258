"""Hints that a provider has finished: they end a wait between two polls, and prove nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from uuid import UUID

# The jobs that this process polls at the moment.
_waiting: dict[UUID, asyncio.Event] = {}


@contextlib.contextmanager
def listening(job_id: UUID) -> Iterator[asyncio.Event]:
    """The event that a hint about this job sets while the block lasts."""
    event = _waiting[job_id] = asyncio.Event()
    try:
        yield event
    finally:
        if _waiting.get(job_id) is event:
            del _waiting[job_id]


def tell(job_id: UUID) -> None:
    """End the wait of this job, if it is polled here. Call it on the worker's event loop."""
    if event := _waiting.get(job_id):
        event.set()


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Return when a hint has come since the last wait (True), or after so many seconds."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    woken = event.is_set()
    event.clear()
    return woken
