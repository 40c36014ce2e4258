"""The clock of the test's event loop, for limits of time that nobody can wait for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from tests.emulators.faults import Fault


@contextlib.asynccontextmanager
async def running_fast(once: Callable[[], object], *, by: float = 1) -> AsyncIterator[None]:
    """While `once` is true the event loop's clock goes `by` seconds further every few milliseconds.

    So a limit of minutes is over soon, however slow the machine is, but not before the other side
    has what it is not to answer.
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
    """The same, faster, where the fault is that no answer comes; under any other time passes as it does."""
    silent = fault in (Fault.HANG, Fault.NEVER_FINISHES)
    return running_fast(lambda: silent and once(), by=10)
