"""Providers' own limits on active tasks, kept by waiting here instead of being refused there.

They are counted within this process. Several workers on one key may together exceed a limit; the
provider then answers that it is busy, and the submit is tried again: see submission.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections import deque
from collections.abc import AsyncIterator
from weakref import WeakKeyDictionary

from editor.providers.base import EditRequest, Provider


class Limit:
    """So many places; those who wait are served tenant by tenant in turn.

    A workspace with three hundred jobs does not delay another workspace's first one.
    """

    def __init__(self, most: int) -> None:
        self._free = most  # below 0 while places are taken beyond the limit
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # in the order of the tenants' turns

    @contextlib.asynccontextmanager
    async def held(self, tenant: str, *, active: bool) -> AsyncIterator[None]:
        """Hold a place. `active`: it is taken already, at the provider, whether one is free or not."""
        if active or self._free > 0:
            self._free -= 1
        else:
            await self._given(tenant)
        try:
            yield
        finally:
            self._give_back()

    async def _given(self, tenant: str) -> None:
        """Wait until a place is handed over."""
        place = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.cancelled():
                self._forget(tenant, place)
            else:  # it was handed over in the same moment
                self._give_back()
            raise

    def _forget(self, tenant: str, place: asyncio.Future[None]) -> None:
        places = self._waiting.get(tenant, deque())
        with contextlib.suppress(ValueError):
            places.remove(place)
        if not places:
            self._waiting.pop(tenant, None)

    def _give_back(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiting:
            tenant = next(iter(self._waiting))
            places = self._waiting.pop(tenant)
            place = places.popleft()
            if places:
                self._waiting[tenant] = places  # back in line, behind the others
            if not place.done():  # else its waiter gave up
                self._free -= 1
                place.set_result(None)


# By event loop; then by provider, key (its hash) and name of the limit.
_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str, str], Limit]] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def held(provider: Provider, request: EditRequest, *, active: bool) -> AsyncIterator[None]:
    """Hold a place under each of the provider's limits, waiting for it first.

    active  the provider is at work on the task already, so it counts and need not wait
    """
    limits = _loops.setdefault(asyncio.get_running_loop(), {})
    key = hashlib.sha256(request.account.key.encode()).hexdigest()
    # The narrowest first: who waits for it holds nothing that others could use.
    narrowest_first = sorted(provider.limits(request.target).items(), key=lambda limit: (limit[1], limit[0]))
    async with contextlib.AsyncExitStack() as places:
        for name, most in narrowest_first:
            limit = limits.setdefault((provider.name, key, name), Limit(most))
            await places.enter_async_context(limit.held(request.tenant, active=active))
        yield
