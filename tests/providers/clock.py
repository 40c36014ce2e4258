"""The clock of the test's event loop, for time limits too long to wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from tests.emulators.faults import Fault


@contextlib.asynccontextmanager
async def running_fast(once: Callable[[], object], *, by: float = 1) -> AsyncIterator[None]:
    """While `once` is true, advance the event loop's clock by `by` seconds every few milliseconds.

    So a limit of minutes passes quickly, however slow the machine is, but not before the other side
    has received the request that it must not answer.
    """
    loop = asyncio.get_running_loop()
    time, ahead = loop.time, 0.0

    async def run() -> None:
        nonlocal ahead
        while True:
            await asyncio.sleep(0.002)
            ahead += by * bool(once())

    loop.time = lambda: time() + ahead  # type: ignore[method-assign]
    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()


def waited_for(fault: Fault, once: Callable[[], object]) -> contextlib.AbstractAsyncContextManager[None]:
    """The same, faster, if the fault is that no response comes; for other faults time runs as usual."""
    silent = fault in (Fault.HANG, Fault.NEVER_FINISHES)
    return running_fast(lambda: silent and once(), by=10)
