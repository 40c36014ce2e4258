"""Wiro's socket: a wake-up that saves time while it is open, and costs nothing while it is not."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from editor.net import policy
from editor.providers.base import EditRequest, Progress, Submitted
from editor.providers.wiro import live, requests
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.wiro import Wiro
from tests.providers.edits import edit
from tests.providers.wiro.spec import FLUX_2


@dataclass
class Socket:
    """A server with the protocol of Wiro's socket that sends only what the test chooses.

    `open`: the open connections; `asked`: the tokens subscribed to, by connection, in order
    """

    url: str = ""
    open: list[ServerConnection] = field(default_factory=list)
    requested: list[list[str]] = field(default_factory=list)

    async def serve(self, connection: ServerConnection) -> None:
        self.open.append(connection)
        tokens: list[str] = []
        self.requested.append(tokens)
        try:
            async for frame in connection:
                tokens.append(json.loads(frame)["tasktoken"])
        finally:
            self.open.remove(connection)

    async def tell(self, kind: str, token: str, message: Any = None) -> None:
        frame = {"type": kind, "id": "1", "tasktoken": token, "message": message, "result": True}
        await self.open[-1].send(json.dumps(frame))

    async def until_subscribed(self, *tokens: str) -> None:
        async with asyncio.timeout(60):
            while not self.requested or sorted(self.requested[-1]) != sorted(tokens):
                await asyncio.sleep(0.005)


@pytest.fixture
async def socket() -> AsyncIterator[Socket]:
    reported = Socket()
    async with serve(reported.serve, "127.0.0.1", 0) as server:
        reported.url = f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
        yield reported


@contextlib.asynccontextmanager
async def watching(adapter: Adapter, request: EditRequest, token: str) -> AsyncIterator[asyncio.Task[bool]]:
    watch = asyncio.create_task(adapter.watch(request, Submitted("1", {"token": token})))
    try:
        yield watch
    finally:
        watch.cancel()
        await asyncio.wait([watch])


def at(socket: Socket, wiro: Wiro) -> EditRequest:
    request = edit(wiro, FLUX_2)
    return replace(request, account=replace(request.account, base_url=socket.url))


async def watch_result(adapter: Adapter, request: EditRequest, task: Submitted) -> bool:
    """The result of a watch, within a minute."""
    async with asyncio.timeout(60):
        return await adapter.watch(request, task)


async def ended(watch: asyncio.Task[bool]) -> bool:
    async with asyncio.timeout(60):
        return await asyncio.shield(watch)


async def reported(wiro: Wiro, status: str, percentage: int = 0) -> None:
    """Wait until the socket has sent this status of its only task."""
    async with asyncio.timeout(60):
        while wiro.tasks[0].notes.get("told") != (status, percentage):
            await asyncio.sleep(0.005)


async def test_the_end_is_reported_long_before_a_poll_would_be_due(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    async with watching(adapter, request, task.state["token"]) as watch:
        await reported(wiro, "task_queue")
        wiro.ahead = 99
        await reported(wiro, "task_postprocess_start", 99)
        assert not watch.done()

        wiro.ahead = 100
        assert await ended(watch)

    assert wiro.tasks[0].polls == 0
    assert not isinstance(await adapter.poll(request, task), Progress)


async def test_a_task_that_ended_before_is_reported_at_once(adapter: Adapter, wiro: Wiro):
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    wiro.ahead += 1

    assert await watch_result(adapter, request, task)


async def test_a_cancelled_task_is_reported_too(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    async with watching(adapter, request, task.state["token"]) as watch:
        await reported(wiro, "task_queue")
        assert not watch.done()

        await adapter.cancel(request, task)

        assert await ended(watch)


async def test_polls_report_the_percentage_from_the_socket(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    assert await adapter.poll(request, task) == Progress(percent=None)
    async with watching(adapter, request, task.state["token"]):
        wiro.ahead = 40
        for percent in (50, 61):  # one is sent as an object, one as its JSON text
            await reported(wiro, "task_output", int(wiro.ahead))
            wiro.ahead = percent
            async with asyncio.timeout(60):
                while await adapter.poll(request, task) != Progress(percent=percent):
                    await asyncio.sleep(0.01)


async def test_one_connection_serves_all_tasks_and_ends_with_the_last(
    adapter: Adapter, wiro: Wiro, socket: Socket
):
    request = at(socket, wiro)
    async with watching(adapter, request, "a") as first, watching(adapter, request, "b") as second:
        await socket.until_subscribed("a", "b")
        async with watching(adapter, request, "c") as third:
            await socket.until_subscribed("a", "b", "c")
            await socket.tell("task_postprocess_end", "b", [])
            assert await ended(second)
            assert not first.done()
            assert not third.done()
        await socket.tell("task_cancel", "a", "cancelled")
        assert await ended(first)

    assert len(socket.requested) == 1
    async with asyncio.timeout(60):
        while socket.open:
            await asyncio.sleep(0.005)

    async with watching(adapter, request, "d"):  # a new connection when one is needed again
        await socket.until_subscribed("d")
    assert len(socket.requested) == 2


async def test_only_a_last_status_ends_a_watch(adapter: Adapter, wiro: Wiro, socket: Socket):
    async with watching(adapter, at(socket, wiro), "a") as watch:
        await socket.until_subscribed("a")
        for kind in ("task_queue", "task_error", "task_error_full", "task_end", "connected", "new"):
            await socket.tell(kind, "a", "words")
        await socket.tell("task_output", "a", {"percentage": "many"})
        await socket.tell("task_postprocess_end", "another")
        for frame in ("no JSON", "[1]", b"\xff\x00", '{"tasktoken": ["a"], "type": "task_cancel"}'):
            await socket.open[0].send(frame)
        await socket.tell("task_output", "a", {"percentage": "7"})
        address = requests.socket_address(socket.url)
        async with asyncio.timeout(60):
            while adapter._live.percent(address, "a") != 7:  # then it has also read everything before
                await asyncio.sleep(0.005)
        assert not watch.done()

        await socket.tell("task_postprocess_end", "a")

        assert await ended(watch)


async def test_a_watch_of_a_silent_socket_keeps_waiting(adapter: Adapter, wiro: Wiro):
    wiro.socket = "silent"
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    async with watching(adapter, request, task.state["token"]) as watch:
        wiro.ahead += 1
        await asyncio.sleep(0.1)
        assert not watch.done()
        assert not isinstance(await adapter.poll(request, task), Progress)


@pytest.mark.parametrize("trouble", ["closes", "refused", "forbidden"])
async def test_a_failing_socket_is_not_used_for_a_while(
    adapter: Adapter, wiro: Wiro, trouble: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "REST", 3600)
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    match trouble:
        case "closes":
            wiro.socket = "closes"
        case "refused":
            wiro.stop()
        case "forbidden":
            policy.allow([])

    assert not await watch_result(adapter, request, task)

    wiro.socket = "open"
    wiro.start() if trouble == "refused" else None
    policy.allow(["127.0.0.0/8"])
    wiro.ahead += 1
    assert not await watch_result(adapter, request, task)
    monkeypatch.setattr(live, "REST", 0)
    assert await watch_result(adapter, request, task)


async def test_a_socket_that_sent_something_is_reopened(
    adapter: Adapter, wiro: Wiro, socket: Socket, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(live, "RECONNECT_PAUSE", 0.01)
    request = at(socket, wiro)
    async with watching(adapter, request, "a") as first, watching(adapter, request, "b") as second:
        await socket.until_subscribed("a", "b")
        await socket.tell("task_postprocess_end", "a")
        assert await ended(first)
        await socket.open[0].close()
        await socket.until_subscribed("b")

        await socket.open[-1].close()  # this time it has sent nothing

        assert not await ended(second)
    assert socket.requested == [["a", "b"], ["b"]]


async def test_two_may_watch_the_same_task(adapter: Adapter, wiro: Wiro, socket: Socket):
    request = at(socket, wiro)
    async with watching(adapter, request, "a") as first:
        async with watching(adapter, request, "a"):
            await socket.until_subscribed("a")
        await socket.tell("task_postprocess_end", "a")
        assert await ended(first)


async def test_the_sockets_host_may_not_resolve_to_a_private_address(
    adapter: Adapter, wiro: Wiro, caplog: pytest.LogCaptureFixture
):
    policy.allow([])
    caplog.set_level(logging.INFO, "editor.wiro")
    request = edit(wiro, FLUX_2)
    account = replace(request.account, base_url="https://localhost")

    assert not await watch_result(
        adapter, replace(request, account=account), Submitted("1", {"token": "secret"})
    )

    assert caplog.messages == ["the socket at localhost broke: Forbidden"]
