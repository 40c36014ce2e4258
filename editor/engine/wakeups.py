"""Wake-ups: signs that a provider may have finished, which end a wait between polls and prove nothing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from uuid import UUID

# The jobs that this process is polling.
_waiting: dict[UUID, asyncio.Event] = {}


@contextlib.contextmanager
def listening(job_id: UUID) -> Iterator[asyncio.Event]:
    """The event that a wake-up of this job sets within the block."""
    event = _waiting[job_id] = asyncio.Event()
    try:
        yield event
    finally:
        if _waiting.get(job_id) is event:
            del _waiting[job_id]


def wake(job_id: UUID) -> None:
    """Wake this job's poll, if it is polled here. Call it on the worker's event loop."""
    if event := _waiting.get(job_id):
        event.set()


async def wait(event: asyncio.Event, seconds: float) -> bool:
    """Wait for a wake-up since the last wait (True), or for `seconds` (False)."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(event.wait(), seconds)
    woken = event.is_set()
    event.clear()
    return woken
