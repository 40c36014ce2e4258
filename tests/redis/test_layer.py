"""Two processes' instances of the layer, during and after outages of Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from editor.redis import LIVE, LOST, RESTORED
from editor.redis.health import health
from editor.redis.layer import SharedLayer
from tests.patience import PATIENCE
from tests.redis_server import RedisServer


class End:
    """A process's layer with one member of a group, which also subscribes to the layer's own messages."""

    def __init__(self, url: str) -> None:
        self.layer = SharedLayer(url=url)

    async def join(self, group: str) -> End:
        self.channel = await self.layer.new_channel()
        await self.layer.group_add(group, self.channel)
        await self.layer.group_add(LIVE, self.channel)
        return self

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return await self.layer.receive(self.channel)

    async def until(self, kind: str) -> dict[str, Any]:
        while (message := await self.next())["type"] != kind:
            pass
        return message


@pytest.fixture
async def ends(redis: RedisServer) -> tuple[End, End]:
    return await End(redis.url).join("group"), await End(redis.url).join("group")


async def test_members_receive_messages_of_every_process_once_and_in_order(ends: tuple[End, End]) -> None:
    here, there = ends
    for number in range(3):
        await here.layer.group_send("group", {"type": "news", "number": number})
    await here.layer.group_send("other", {"type": "not for them"})
    await there.layer.group_send("group", {"type": "end"})
    assert [await there.next() for _ in range(4)] == [
        *({"type": "news", "number": number} for number in range(3)),
        {"type": "end"},
    ]
    assert [(await here.next())["type"] for _ in range(4)] == ["news", "news", "news", "end"]


async def test_a_member_that_left_receives_nothing_more(ends: tuple[End, End]) -> None:
    here, there = ends
    await there.layer.group_discard("group", there.channel)
    await here.layer.group_send("group", {"type": "news"})
    await here.layer.group_send(LIVE, {"type": "end"})
    assert await there.next() == {"type": "end"}


async def test_a_message_is_sent_from_a_process_without_members(
    ends: tuple[End, End], redis: RedisServer
) -> None:
    """As from a command, whose event loop ends with the message."""

    def command() -> None:
        asyncio.run(SharedLayer(url=redis.url).group_send("group", {"type": "news"}))

    await asyncio.to_thread(command)
    assert await ends[0].next() == await ends[1].next() == {"type": "news"}


@pytest.mark.parametrize("hurt", [RedisServer.stop, RedisServer.hang], ids=["down", "hanging"])
async def test_members_are_notified_of_an_outage_and_of_its_end(
    ends: tuple[End, End], redis: RedisServer, hurt: Callable[[RedisServer], None]
) -> None:
    here, there = ends
    assert here.layer.lost_since() is None
    hurt(redis)
    lost = await here.until(LOST)
    assert here.layer.lost_since() == lost["since"]
    await there.until(LOST)
    await here.layer.group_send("group", {"type": "news"})
    assert await here.next() == {"type": "news"}, "its own members hear it all the same"
    await here.layer.new_channel()  # no one waits for an unreachable server
    if hurt is RedisServer.hang:
        redis.go_on()
    else:
        redis.start()
    assert (await here.until(RESTORED))["since"] <= lost["since"]
    await there.until(RESTORED)
    assert here.layer.lost_since() is None
    await here.layer.group_send("group", {"type": "later"})
    await there.until("later")


async def test_an_unsent_message_is_announced_even_if_no_connection_was_lost(
    ends: tuple[End, End],
) -> None:
    here, there = ends
    health.failed(OSError("a short hiccup"))
    await here.layer.group_send("group", {"type": "news"})
    assert here.layer.unsent_since is not None
    unsent = here.layer.unsent_since
    assert await there.until(RESTORED) == {"type": RESTORED, "since": unsent}


async def test_malformed_messages_are_ignored(ends: tuple[End, End]) -> None:
    here, there = ends
    client = here.layer._link().client
    for odd in (b"\xff", b"[]", b"{}", b'{"from": 1}'):
        await client.publish("atelier", odd)
    await here.layer.group_send("group", {"type": "news"})
    assert await there.next() == {"type": "news"}
