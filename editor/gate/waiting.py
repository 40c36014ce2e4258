"""Waiting for a job to change without holding anything but memory.

One listener for each event loop hears what is told about the workspaces whose jobs are waited
for. What it may have missed is found by one query for all of them together, from time to time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable
from uuid import UUID
from weakref import WeakKeyDictionary

from channels.layers import get_channel_layer

from editor import events
from editor.db import in_thread
from editor.models import Job
from editor.queries import jobs as job_queries
from editor.redis import LIVE, RESTORED

log = logging.getLogger("editor.gate")

LOOK_EVERY = 3.0  # seconds
LISTEN_AGAIN_AFTER = 1.0  # seconds, after a fault


class Watch:
    """What has been told about one job since it was last asked.

    changed  set at each step; whoever waits for it clears it
    ended    set once, at the last step, or when this process is about to end
    """

    def __init__(self) -> None:
        self.changed = asyncio.Event()
        self.ended = asyncio.Event()


class _Listener:
    """What one event loop waits for. It listens while anybody waits."""

    def __init__(self) -> None:
        self.watches: defaultdict[UUID, set[Watch]] = defaultdict(set)
        self.workspaces: Counter[UUID] = Counter()
        self.channel = ""
        self.tasks: list[asyncio.Task[None]] = []
        self.ending = False

    async def add(self, job: Job, watch: Watch) -> None:
        self.watches[job.id].add(watch)
        self.workspaces[job.workspace_id] += 1
        if not self.tasks:
            self.tasks = [asyncio.create_task(self._listen()), asyncio.create_task(self._look())]
        elif self.channel and self.workspaces[job.workspace_id] == 1:
            await self._join(job.workspace_id)
        if self.ending:
            watch.ended.set()

    async def remove(self, job: Job, watch: Watch) -> None:
        self.watches[job.id].discard(watch)
        if not self.watches[job.id]:
            del self.watches[job.id]
        self.workspaces[job.workspace_id] -= 1
        if not self.workspaces[job.workspace_id]:
            del self.workspaces[job.workspace_id]
            if self.channel:
                await self._leave(job.workspace_id)
        if not self.watches:
            for task in self.tasks:
                task.cancel()
            channel, self.tasks, self.channel = self.channel, [], ""
            if channel:
                await get_channel_layer().group_discard(LIVE, channel)

    def tell(self, job_id: UUID, *, ended: bool) -> None:
        for watch in self.watches.get(job_id, ()):
            watch.changed.set()
            if ended:
                watch.ended.set()

    async def _listen(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                self.channel = await layer.new_channel()
                await layer.group_add(LIVE, self.channel)
                for workspace_id in list(self.workspaces):
                    await self._join(workspace_id)
                while True:
                    message = await layer.receive(self.channel)
                    if message["type"] == events.JobChanged.type:
                        self.tell(UUID(message["job_id"]), ended=message["ended"])
                    elif message["type"] == RESTORED:
                        for job_id in list(self.watches):  # whose steps may not have been told
                            self.tell(job_id, ended=False)
            except Exception:
                log.warning("changes of jobs cannot be heard; trying again", exc_info=True)
                await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                for job_id in await in_thread(job_queries.ended, list(self.watches)):
                    self.tell(job_id, ended=True)
            except Exception:
                log.warning("jobs that are waited for could not be looked at; trying again", exc_info=True)

    async def _join(self, workspace_id: UUID) -> None:
        await get_channel_layer().group_add(events.group_name(workspace_id), self.channel)

    async def _leave(self, workspace_id: UUID) -> None:
        await get_channel_layer().group_discard(events.group_name(workspace_id), self.channel)


_listeners: WeakKeyDictionary[asyncio.AbstractEventLoop, _Listener] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def watching(job: Job) -> AsyncIterator[Watch]:
    """Hear of the job's changes while the block lasts. What came before is not told: look first."""
    listener = _listeners.setdefault(asyncio.get_running_loop(), _Listener())
    watch = Watch()
    await listener.add(job, watch)
    try:
        yield watch
    finally:
        await listener.remove(job, watch)


async def until_ended(job: Job, *, seconds: float, reread: Callable[[], Job]) -> Job:
    """The job as it is when it has ended, after so many seconds, or when this process must end."""
    async with watching(job) as watch:
        row = await in_thread(reread)
        if row.is_live:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(watch.ended.wait(), seconds)
            row = await in_thread(reread)
    return row


def let_go() -> None:
    """The process must end: whoever waits on this event loop gets the job as it stands."""
    if listener := _listeners.get(asyncio.get_running_loop()):
        listener.ending = True
        for watches in listener.watches.values():
            for watch in watches:
                watch.changed.set()
                watch.ended.set()
