"""What came with a request becomes images of the workspace, and a job."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from editor.access.actor import Actor
from editor.media.inputs import Link
from editor.net import policy
from editor.operations import intake
from editor.operations.intake import FETCHED_AT_ONCE
from tests.factories import make_actor, make_workspace, photo
from tests.net.fetching import Authority
from tests.patience import PATIENCE, until
from tests.providers.hostile import Write, answers, hostile

picture = answers(photo(), content_type="image/png")


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    policy.allow(["127.0.0.1"])
    yield
    policy.allow([])


@pytest.fixture
def actors(committed: None) -> tuple[Actor, Actor]:
    return make_actor(), make_actor(make_workspace(name="Other"))


async def test_a_workspace_with_many_slow_addresses_does_not_keep_another_waiting(
    actors: tuple[Actor, Actor], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    busy, other = actors
    two_end, more = asyncio.Event(), asyncio.Event()

    async def slow(writer: Write) -> None:
        await more.wait()
        await picture(writer)

    async def first(writer: Write) -> None:
        await two_end.wait()
        await picture(writer)

    async with (
        hostile(first, first, slow, tls=authority.server("127.0.0.1")) as server,
        hostile(picture, tls=authority.server("127.0.0.1")) as quick,
    ):
        calls = [
            asyncio.create_task(intake.add(actor=busy, image=Link(server.url)))
            for _ in range(2 * FETCHED_AT_ONCE)
        ]
        await until(lambda: len(server.requests) >= FETCHED_AT_ONCE)
        one = asyncio.create_task(intake.add(actor=other, image=Link(quick.url)))
        slots = intake._fetch_slots.get()
        await until(lambda: str(other.workspace.id) in slots._waiting)  # behind all others
        two_end.set()  # a place for the first in line, then one for the other workspace
        await asyncio.wait_for(one, PATIENCE)
        more.set()
        assert len(set(await asyncio.gather(*calls))) == 2 * FETCHED_AT_ONCE
