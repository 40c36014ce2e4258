"""Limits on the bodies that an API receives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from editor.gateway import body, middleware
from editor.gateway.middleware import GatewayMiddleware
from tests.gateway.api import LIMIT, PROFILE, app

pytestmark = pytest.mark.usefixtures("committed")


async def test_a_body_with_a_too_large_length_is_not_read(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post("/", content=b"x" * (LIMIT + 1), headers={"x-key": key})
    assert (answer.status_code, answer.headers["connection"]) == (413, "close")
    assert "x-ratelimit-remaining" in answer.headers


async def test_a_body_that_exceeds_the_limit_is_refused(client: httpx.AsyncClient, key: str) -> None:
    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 100

    answer = await client.post("/", content=endless(), headers={"x-key": key})
    assert answer.status_code == 413


async def test_a_stalled_body_times_out(
    client: httpx.AsyncClient, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)

    async def dripping() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    answer = await client.post("/", content=dripping(), headers={"x-key": key})
    assert answer.status_code == 408


async def test_a_dripping_body_times_out(
    client: httpx.AsyncClient, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.1)

    async def dripping() -> AsyncIterator[bytes]:
        while True:
            yield b"x"
            await asyncio.sleep(0.02)

    answer = await client.post("/", content=dripping(), headers={"x-key": key})
    assert answer.status_code == 408


async def test_the_large_bodies_of_one_sender_are_limited(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "LARGE_OF_ONE_SENDER", 1)
    monkeypatch.setattr(body, "SLOT_SECONDS", 0.05)
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        begun.set()
        await go_on.wait()
        yield b"x"

    transport = httpx.ASGITransport(app=GatewayMiddleware(app, PROFILE))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers={"x-key": key}
    ) as client:
        first = asyncio.create_task(client.post("/", content=slow()))
        await begun.wait()
        refused = await client.post("/", content=slow())
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "5")
        assert (await client.post("/", content=b"small")).status_code == 200
        go_on.set()
        assert (await first).json()["length"] == 2
        assert (await client.post("/", content=slow())).status_code == 200
