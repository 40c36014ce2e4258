"""Notices when a caller loses access during a held call because the key or the membership ended.

Operations publish such changes. Missed events and expired keys are found by one query for all callers
of an event loop, every LOOK_EVERY seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Collection
from typing import Any
from uuid import UUID

from editor import events
from editor.access import credentials
from editor.access.credentials import Holder
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.threads import in_thread
from editor.errors import EditorError
from editor.redis import RESTORED
from editor.subscriptions import Listener

LOOK_EVERY = 3.0  # seconds

Loss = asyncio.Future[EditorError]


class _Guard(Listener):
    """The watched callers of one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.losses: defaultdict[Holder, set[Loss]] = defaultdict(set)

    @property
    def look_every(self) -> float:
        return LOOK_EVERY

    async def received(self, message: dict[str, Any]) -> None:
        if message["type"] in (events.AccessChanged.type, events.MemberRemoved.type):
            workspace_id = UUID(message["workspace_id"])
            await self.check([one for one in self.losses if one.workspace_id == workspace_id])
        elif message["type"] == RESTORED:
            await self.look()

    async def look(self) -> None:
        await self.check(list(self.losses))

    async def check(self, holders: Collection[Holder]) -> None:
        """Resolve the futures of those who have lost their rights."""
        for holder, error in (await in_thread(credentials.lost, holders)).items():
            for loss in self.losses.get(holder, ()):
                if not loss.done():
                    loss.set_result(error)


_guards = PerLoop(_Guard)


@contextlib.asynccontextmanager
async def watching(holder: Holder) -> AsyncIterator[Loss]:
    """A future that resolves to the error to return when the holder loses, or has already lost, access."""
    guard, loss = _guards.get(), asyncio.get_running_loop().create_future()
    guard.losses[holder].add(loss)
    await guard.join(holder.workspace_id)
    try:
        await guard.check([holder])
        yield loss
    finally:
        loss.cancel()
        guard.losses[holder].discard(loss)
        if not guard.losses[holder]:
            del guard.losses[holder]
        await guard.leave(holder.workspace_id)
