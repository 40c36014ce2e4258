"""Database work from the event loop.

A job that waits for a provider must hold neither a thread nor a connection. `in_thread`
borrows both for one short piece of work and gives them back.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connection

P = ParamSpec("P")
T = TypeVar("T")


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="database")


async def in_thread(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Run `function` in a worker thread; its connection goes back to the pool afterwards."""

    def work() -> T:
        try:
            return function(*args, **kwargs)
        finally:
            # In a test the thread may share the test's own connection, whose transaction must live on.
            if not connection.in_atomic_block:
                connection.close()

    return await sync_to_async(work, thread_sensitive=False, executor=_threads())()
