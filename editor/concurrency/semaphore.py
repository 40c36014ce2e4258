"""A semaphore that is fair between tenants."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator


class FairSemaphore:
    """A semaphore whose slots waiting tenants get in turn.

    A workspace with three hundred jobs does not delay another workspace's first one.
    """

    def __init__(self, slots: int) -> None:
        self._free = slots  # below 0 while slots are occupied beyond the limit
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # in the order of the tenants' turns

    @contextlib.asynccontextmanager
    async def slot(self, tenant: str, *, occupied: bool = False) -> AsyncIterator[None]:
        """Hold a slot. `occupied`: it is already in use at a provider, so do not wait for a free one."""
        if occupied or self._free > 0:
            self._free -= 1
        else:
            await self._acquire(tenant)
        try:
            yield
        finally:
            self._release()

    async def _acquire(self, tenant: str) -> None:
        """Wait until a slot is assigned."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(tenant, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._forget(tenant, turn)
            else:  # it was assigned at the same moment
                self._release()
            raise

    def _forget(self, tenant: str, turn: asyncio.Future[None]) -> None:
        turns = self._waiting.get(tenant, deque())
        with contextlib.suppress(ValueError):
            turns.remove(turn)
        if not turns:
            self._waiting.pop(tenant, None)

    def _release(self) -> None:
        self._free += 1
        while self._free > 0 and self._waiting:
            tenant = next(iter(self._waiting))
            turns = self._waiting.pop(tenant)
            turn = turns.popleft()
            if turns:
                self._waiting[tenant] = turns  # back in line, behind the others
            if not turn.done():  # else its waiter was cancelled
                self._free -= 1
                turn.set_result(None)
