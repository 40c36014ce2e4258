"""Waiting for a job to change while holding nothing but memory.

One listener per event loop receives the events of the workspaces whose jobs are waited for. One
periodic query for all of those jobs finds what it may have missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

from editor import events
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.threads import in_thread
from editor.models import Job
from editor.queries import jobs as job_queries
from editor.redis import RESTORED
from editor.subscriptions import Listener

LOOK_EVERY = 3.0  # seconds


class Watch:
    """Changes of one job.

    changed  set at each step; the waiter clears it
    ended    set once, at the last step, or when this process is about to exit
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()


class _Watches(Listener):
    """The watches of one event loop."""

    def __init__(self) -> None:
        super().__init__()
        self.watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self.ending = False

    @property
    def look_every(self) -> float:
        return LOOK_EVERY

    async def add(self, job: Job, watch: Watch) -> None:
        self.watches[job.id].add(watch)
        await self.join(job.workspace_id)
        if self.ending:
            watch.ended.set()

    async def remove(self, job: Job, watch: Watch) -> None:
        self.watches[job.id].discard(watch)
        if not self.watches[job.id]:
            del self.watches[job.id]
        await self.leave(job.workspace_id)

    def notify(self, job_id: UUID, *, ended: bool) -> None:
        for watch in self.watches.get(job_id, ()):
            watch.changed.set()
            if ended:
                watch.ended.set()

    async def received(self, message: dict[str, Any]) -> None:
        if message["type"] == events.JobChanged.type:
            self.notify(UUID(message["job_id"]), ended=message["ended"])
        elif message["type"] == RESTORED:  # events may have been lost
            for job_id in list(self.watches):
                self.notify(job_id, ended=False)

    async def look(self) -> None:
        for job_id in await in_thread(job_queries.ended, list(self.watches)):
            self.notify(job_id, ended=True)


_listeners = PerLoop(_Watches)


@contextlib.asynccontextmanager
async def watching(job: Job) -> AsyncIterator[Watch]:
    """Receive the job's changes within the block. Earlier ones are not reported: read the row first."""
    listener = _listeners.get()
    watch = Watch()
    await listener.add(job, watch)
    try:
        yield watch
    finally:
        await listener.remove(job, watch)


async def until_ended(job: Job, *, seconds: float, reread: Callable[[], Job]) -> Job:
    """The job once it has ended, after `seconds`, or when this process must exit."""
    async with watching(job) as watch:
        row = await in_thread(reread)
        if row.is_live:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.ended.wait(), seconds)
            row = await in_thread(reread)
    return row


def let_go() -> None:
    """The process must exit: return the job in its current state to all waiters of this event loop."""
    if listener := _listeners.existing():
        listener.ending = True
        for watches in listener.watches.values():
            for watch in watches:
                watch.changed.set()
                watch.ended.set()
