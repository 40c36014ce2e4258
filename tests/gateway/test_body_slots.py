"""The slots for bodies: of one sender, of all, and of those that are slow."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from editor.gateway import body
from editor.gateway.body import Body, BodySlots, Busy, TooSlow
from tests.gateway.senders import Sender
from tests.providers.clock import running_fast


async def test_the_slots_of_one_sender_are_limited_and_others_still_get_one() -> None:
    slots = BodySlots(most=3, each=2)
    entered: list[str] = []
    leave = asyncio.Event()

    async def hold(sender: str) -> None:
        async with slots.slot(sender, Body(Sender().receive, limit=1)):
            entered.append(sender)
            await leave.wait()

    tasks = [asyncio.create_task(hold(sender)) for sender in ["a", "a", "a", "a", "b", "b"]]
    while len(entered) < 3:
        await asyncio.sleep(0)
    assert entered == ["a", "a", "b"]
    leave.set()
    await asyncio.gather(*tasks)
    assert len(entered) == 6
    assert not slots._senders


async def test_a_sender_without_a_slot_is_refused_with_retry_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SLOT_SECONDS", 0.05)
    slots, one = BodySlots(most=1, each=1), Body(Sender().receive, limit=1)
    async with slots.slot("a", one):
        for sender in ("a", "b"):
            with pytest.raises(Busy) as refused:
                async with slots.slot(sender, one):
                    pass
            assert refused.value.retry_after
    async with slots.slot("b", one):
        pass


async def waited_for_slot(slots: BodySlots, sender: str, *bodies: Body) -> list[int]:
    """Hold a slot with each of the bodies, whose sender is "a", until this sender has got one; which of
    them lost theirs."""
    lost: list[int] = []
    got = asyncio.Event()

    async def hold(at: int) -> None:
        async with slots.slot("a", bodies[at]):
            try:
                while not bodies[at].complete:
                    await bodies[at].receive()
            except TooSlow:
                lost.append(at)
                return
            await got.wait()

    async with running_fast(lambda: not got.is_set()), asyncio.TaskGroup() as holding:
        tasks = [holding.create_task(hold(at)) for at in range(len(bodies))]
        while len(slots._holders) < len(bodies):
            await asyncio.sleep(0)
        async with slots.slot(sender, Body(Sender().receive, limit=1)):
            got.set()
        for task in tasks:
            task.cancel()
    return lost


class Steady(Sender):
    """Sends so many bytes a second, endlessly."""

    def __init__(self, a_second: int) -> None:
        super().__init__()
        self.a_second = a_second

    async def receive(self) -> Any:
        await asyncio.sleep(1)
        return {"type": "http.request", "body": bytes(self.a_second), "more_body": True}


@pytest.mark.parametrize("sender", ["a", "b"])
async def test_the_slowest_sender_loses_its_slot_to_one_that_waits(sender: str) -> None:
    """Twelve uploads of a kilobyte a second, by four members, kept all others waiting for hours.

    Also if the one that waits is of the same workspace or person.
    """
    speeds = (20_000, 1500, 4000)
    bodies = [Body(Steady(speed).receive, limit=10**9) for speed in speeds]
    assert await waited_for_slot(BodySlots(most=3, each=3), sender, *bodies) == [1]


async def test_a_sender_that_is_fast_enough_keeps_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "SLOT_SECONDS", 45.0)
    one = Body(Steady(150_000).receive, limit=10**9)
    with pytest.raises(ExceptionGroup) as refused:
        await waited_for_slot(BodySlots(most=1, each=1), "b", one)
    assert refused.group_contains(Busy)
    assert one._received > 150_000 * 30


async def test_a_body_that_is_complete_keeps_its_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its sender has done its part, and the portal is still working."""
    monkeypatch.setattr(body, "SLOT_SECONDS", 45.0)
    one = Body(Sender(b"x", complete=True).receive, limit=10)
    with pytest.raises(ExceptionGroup) as refused:
        await waited_for_slot(BodySlots(most=1, each=1), "b", one)
    assert refused.group_contains(Busy)
    assert not one._lost_slot
