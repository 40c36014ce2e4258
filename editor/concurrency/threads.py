"""Database and storage work from the event loop.

A job that waits for a provider must hold neither a thread nor a connection. `in_thread`
borrows both for one short piece of work and gives them back. The threads are shared out
between tenants: a workspace with hundreds of jobs does not make another one wait.

What reads or writes stored files uses `in_storage_thread`: a bucket that hangs holds no thread
that authentication and the database need.
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

# The threads of the engine and those of the doors: a flood of jobs does not make requests wait.
# More of them only wait for each other: Python runs one at a time.
ENGINE, CHANNELS = "engine", "doors"
# Each has one pool for the database and one for the storage, of so many threads.
DATABASE, STORAGE = "database", "storage"
THREADS = 4

# Whose threads the current task uses; the worker's tasks use the engine's.
pool: ContextVar[str] = ContextVar("pool", default=CHANNELS)
# Whose work the current task does; empty for what belongs to nobody.
tenant: ContextVar[str] = ContextVar("tenant", default="")
# The event loop that waits for what the current thread does; None where none does.
waiting_loop: ContextVar[asyncio.AbstractEventLoop | None] = ContextVar("waiting_loop", default=None)


class _Call:
    """One piece of work, as the fair executor takes it."""

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
    """The fair executor in the shape that event loops know."""

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
    """Give the connection back before slow work that needs none; the next query borrows one anew.

    Within a transaction it is kept: the caller means it to go on.
    """
    if not connection.in_atomic_block:
        connection.close()


async def to_its_end(work: Awaitable[T]) -> T:
    """The result of `in_thread` or the like; a cancellation, which does not stop it, is raised at its end."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait({working})
        raise


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a worker thread; its connection goes back to the pool afterwards."""
    return await _in_thread(DATABASE, partial(function, *args, **kwargs))


async def in_storage_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """`in_thread` for what reads, writes or deletes stored files."""
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
