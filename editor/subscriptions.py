"""A subscription to the events of some workspaces, shared by an event loop."""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Coroutine
from contextvars import copy_context
from typing import Any
from uuid import UUID

from channels.layers import get_channel_layer

from editor import events
from editor.concurrency import threads
from editor.redis import LIVE

log = logging.getLogger("editor.events")

LISTEN_AGAIN_AFTER = 1.0  # seconds, after an error


class Listener(ABC):
    """Subscribed while it has workspaces. Polls for what it may have missed."""

    def __init__(self) -> None:
        self.workspaces: Counter[UUID] = Counter()
        self.channel = ""
        self.tasks: list[asyncio.Task[None]] = []

    @property
    @abstractmethod
    def look_every(self) -> float:
        """Seconds between polls."""

    @abstractmethod
    async def received(self, message: dict[str, Any]) -> None:
        """Handle an event of a workspace, or one of editor.redis."""

    @abstractmethod
    async def look(self) -> None:
        """Poll for missed events."""

    async def join(self, workspace_id: UUID) -> None:
        self.workspaces[workspace_id] += 1
        if not self.tasks:
            self.tasks = [_for_all(self._listen()), _for_all(self._look_again())]
        elif self.channel and self.workspaces[workspace_id] == 1:
            await self._add(workspace_id)

    async def leave(self, workspace_id: UUID) -> None:
        self.workspaces[workspace_id] -= 1
        if self.workspaces[workspace_id]:
            return
        del self.workspaces[workspace_id]
        channel = self.channel
        if not self.workspaces:
            for task in self.tasks:
                task.cancel()
            self.tasks, self.channel = [], ""
        if channel:
            layer = get_channel_layer()
            await layer.group_discard(events.group_name(workspace_id), channel)
            if not self.channel:
                await layer.group_discard(LIVE, channel)

    async def _listen(self) -> None:
        while True:
            try:
                layer = get_channel_layer()
                self.channel = await layer.new_channel()
                await layer.group_add(LIVE, self.channel)
                for workspace_id in list(self.workspaces):
                    await self._add(workspace_id)
                while True:
                    await self.received(await layer.receive(self.channel))
            except Exception:
                log.warning("cannot receive events of workspaces; trying again", exc_info=True)
                await asyncio.sleep(LISTEN_AGAIN_AFTER)

    async def _look_again(self) -> None:
        while True:
            await asyncio.sleep(self.look_every)
            try:
                await self.look()
            except Exception:
                log.warning("could not check for missed events; trying again", exc_info=True)

    async def _add(self, workspace_id: UUID) -> None:
        await get_channel_layer().group_add(events.group_name(workspace_id), self.channel)


def _for_all(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """A task that does not count for the tenant whose request happened to start it."""
    context = copy_context()
    context.run(threads.tenant.set, "")
    return asyncio.create_task(work, context=context)
