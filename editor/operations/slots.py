"""Providers' own limits on active tasks, kept by waiting here instead of being refused there.

They are counted within this process. Several workers on one key may together exceed a limit; the
provider then answers that it is busy, and the submit is tried again: see submission.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator
from weakref import WeakKeyDictionary

from editor.providers.base import EditRequest, Provider

# By event loop; then by provider, key (its hash) and name of the limit.
_Slots = dict[tuple[str, str, str], asyncio.Semaphore]
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Slots] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def held(provider: Provider, request: EditRequest, *, active: bool) -> AsyncIterator[None]:
    """Hold a place under each of the provider's limits, waiting for it first.

    active  the provider is at work on the task already, so it counts and need not wait
    """
    slots = _loops.setdefault(asyncio.get_running_loop(), {})
    key = hashlib.sha256(request.account.key.encode()).hexdigest()
    async with contextlib.AsyncExitStack() as places:
        for name, most in sorted(provider.limits(request.target).items()):
            semaphore = slots.setdefault((provider.name, key, name), asyncio.Semaphore(most))
            if active and semaphore.locked():
                continue
            await places.enter_async_context(semaphore)
        yield
