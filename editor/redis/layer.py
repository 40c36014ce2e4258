"""The channel layer for several processes: each keeps its groups, and Redis connects them.

Every process subscribes to one Redis channel and delivers its messages to its own members of the group.
So joining, leaving and sending within a process never depend on Redis, and a process that loses Redis
still receives its own events. See editor/redis/__init__.py for the messages to members of LIVE.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

from channels.layers import BaseChannelLayer, InMemoryChannelLayer
from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from editor.redis import LIVE, LOST, RESTORED, options
from editor.redis.health import AWAY, PATIENCE, health

log = logging.getLogger("editor.redis")

CHANNEL = "atelier"
BEAT_EVERY = 2.0  # seconds of silence after which the subscription is pinged
CONNECT_AGAIN_AFTER = 1.0  # seconds
CAPACITY = 1000  # queued messages per member
FOR_EVER = 10 * 365 * 24 * 60 * 60  # seconds that a member stays in its groups

Message = dict[str, Any]


class SharedLayer(BaseChannelLayer):  # type: ignore[misc]
    """Group messages reach the members in all processes; a channel belongs to its process."""

    extensions = ("groups",)

    def __init__(self, *, url: str) -> None:
        super().__init__(capacity=CAPACITY)
        self.url = url
        self.sender = uuid4().hex
        # Time of the first lost message that was not announced to the other processes yet.
        self.unsent_since: float | None = None
        self._links: dict[asyncio.AbstractEventLoop, _Link] = {}

    async def new_channel(self, prefix: str = "specific.") -> str:
        """Returns when this process is subscribed, or when that has failed."""
        link = self._link()
        await link.tried.wait()
        return str(await link.members.new_channel(prefix))

    async def send(self, channel: str, message: Message) -> None:
        await self._link().members.send(channel, message)

    async def receive(self, channel: str) -> Message:
        message: Message = await self._link().members.receive(channel)
        return message

    async def group_add(self, group: str, channel: str) -> None:
        await self._link().members.group_add(group, channel)

    async def group_discard(self, group: str, channel: str) -> None:
        await self._link().members.group_discard(group, channel)

    async def group_send(self, group: str, message: Message) -> None:
        """Never fails if Redis is unavailable, and waits for it at most PATIENCE seconds."""
        for loop, link in list(self._links.items()):
            if loop is asyncio.get_running_loop():
                await link.members.group_send(group, message)
            elif not loop.is_closed():
                asyncio.run_coroutine_threadsafe(link.members.group_send(group, message), loop)
        if not await self._publish(group, message) and self.unsent_since is None:
            self.unsent_since = time.time()

    def lost_since(self) -> float | None:
        """Since when this process is not subscribed; None while it is. Call on a loop with members."""
        return self._link().lost_since

    async def announce_unsent(self) -> None:
        """Announce to all processes since when messages could not be sent."""
        since, self.unsent_since = self.unsent_since, None
        if since is not None and not await self._publish(LIVE, {"type": RESTORED, "since": since}):
            self.unsent_since = since

    async def _publish(self, group: str, message: Message) -> bool:
        if not health.may_ask():
            return False
        content = json.dumps({"from": self.sender, "group": group, "message": message})
        link = self._links.get(asyncio.get_running_loop())
        try:
            async with asyncio.timeout(PATIENCE), _client(self.url, link) as client:
                await client.publish(CHANNEL, content)
        except AWAY as error:
            health.failed(error)
            return False
        health.worked()
        return True

    def _link(self) -> _Link:
        loop = asyncio.get_running_loop()
        if loop not in self._links:
            self._links = {one: link for one, link in self._links.items() if not one.is_closed()}
            self._links[loop] = _Link(self)
        return self._links[loop]


class _Link:
    """The subscription of one event loop to other processes, and its members of groups."""

    def __init__(self, layer: SharedLayer) -> None:
        self.layer = layer
        self.members = InMemoryChannelLayer(capacity=CAPACITY, group_expiry=FOR_EVER)
        self.client = _connect(layer.url)
        self.tried = asyncio.Event()
        self.lost_since: float | None = None
        self._received_at = time.time()
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        try:
            while True:
                try:
                    await self._subscribe()
                except AWAY as error:
                    await self._lost(error)
                except Exception:
                    log.exception("cannot receive events of other processes; trying again")
                self.tried.set()
                await asyncio.sleep(CONNECT_AGAIN_AFTER)
        finally:
            await self.client.aclose()

    async def _subscribe(self) -> None:
        async with contextlib.aclosing(_connect(self.layer.url)) as client, client.pubsub() as subscription:
            async with asyncio.timeout(PATIENCE):
                await subscription.subscribe(CHANNEL)
                while await subscription.get_message(timeout=PATIENCE) is None:
                    pass
            await self._restored()
            await self._listen(subscription)

    async def _listen(self, subscription: PubSub) -> None:
        pinged = False
        while True:
            message = await subscription.get_message(timeout=BEAT_EVERY)
            if message is not None:
                pinged, self._received_at = False, time.time()
                await self._deliver(message)
            elif pinged:
                raise TimeoutError("no sign of life")
            else:
                pinged = True
                async with asyncio.timeout(PATIENCE):
                    await subscription.ping()
            if self.layer.unsent_since is not None:
                await self.layer.announce_unsent()

    async def _deliver(self, message: Message) -> None:
        if message["type"] != "message":
            return
        try:
            event = json.loads(message["data"])
            sender, group, content = event["from"], event["group"], event["message"]
        except (ValueError, KeyError, TypeError):
            log.warning("Redis carried something in the channel %s that is no event", CHANNEL)
            return
        if sender != self.layer.sender:  # its own members received it at once
            await self.members.group_send(group, content)

    async def _restored(self) -> None:
        health.worked()
        since, self.lost_since, self._received_at = self.lost_since, None, time.time()
        self.tried.set()
        if since is not None:
            await self.members.group_send(LIVE, {"type": RESTORED, "since": since})

    async def _lost(self, error: BaseException) -> None:
        health.failed(error)
        if self.lost_since is None:
            self.lost_since = self._received_at
            await self.members.group_send(LIVE, {"type": LOST, "since": self.lost_since})


@contextlib.asynccontextmanager
async def _client(url: str, link: _Link | None) -> AsyncIterator[Redis]:
    """The loop's own client, or a temporary one on a loop without members."""
    if link is not None:
        yield link.client
        return
    async with contextlib.aclosing(_connect(url)) as client:
        yield client


def _connect(url: str) -> Redis:
    client: Redis = Redis.from_url(url, **options.asynchronous())
    return client
