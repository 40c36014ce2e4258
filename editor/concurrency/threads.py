"""Database and storage work from the event loop.

A job that waits for a provider must hold neither a thread nor a connection. `in_thread`
acquires both for one short piece of work and releases them. The threads are shared between
tenants: a workspace with hundreds of jobs does not make another one wait.

Code that reads or writes stored files uses `in_storage_thread`: a hanging bucket does not hold
threads that authentication and the database need.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future
from contextvars import ContextVar, copy_context
from functools import cache, partial
from typing import Any, ParamSpec, TypeVar

from django.db import connection

from editor.concurrency.fairness import FairExecutor

P = ParamSpec("P")
T = TypeVar("T")

# The engine and requests have separate threads: a flood of jobs does not make requests wait.
# More threads would only wait for each other: Python runs one at a time.
ENGINE, CHANNELS = "engine", "channels"
# Each has one pool of THREADS threads for the database and one for the storage.
DATABASE, STORAGE = "database", "storage"
THREADS = 4

# Whose threads the current task uses; the worker's tasks use the engine's.
pool: ContextVar[str] = ContextVar("pool", default=CHANNELS)
# The tenant that the current task works for; empty if there is none.
tenant: ContextVar[str] = ContextVar("tenant", default="")
# The event loop that waits for the current thread, if any.
waiting_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("waiting_loop", default=None)


class _Call:
    """One piece of work for the fair executor."""

    def __init__(self, function: Callable[[], Any]) -> None:
        self.tenant = tenant.get()
        self.future: Future[Any] = Future()
        self._function = function

    def execute(self) -> None:
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._function()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class _FairThreads(Executor):
    """The fair executor as an Executor for event loops."""

    def __init__(self) -> None:
        self._fair = FairExecutor(THREADS)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        call = _Call(partial(fn, *args, **kwargs))
        self._fair.submit(call)
        return call.future


@cache
def _threads(pool: str, kind: str) -> _FairThreads:
    return _FairThreads()


def release() -> None:
    """Release the connection before slow work that needs none; the next query acquires another.

    Within a transaction it is kept, since the transaction continues.
    """
    if not connection.in_atomic_block:
        connection.close()


async def to_its_end(work: Awaitable[T]) -> T:
    """Await `in_thread` or the like; a cancellation does not stop the work and is raised when it ends."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a worker thread; its connection returns to the pool afterwards."""
    return await _in_thread(DATABASE, partial(function, *args, **kwargs))


async def in_storage_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`in_thread` for functions that read, write or delete stored files."""
    return await _in_thread(STORAGE, partial(function, *args, **kwargs))


async def _in_thread(kind: str, function: Callable[[], T]) -> T:
    def work() -> T:
        try:
            return function()
        finally:
            release()

    loop = asyncio.get_running_loop()
    context = copy_context()
    context.run(waiting_loop.set, loop)
    return await loop.run_in_executor(_threads(pool.get(), kind), context.run, work)
