"""Readers that stop reading, at a real server."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn

from editor.worker import stalled

LENGTH = 64 * 1024 * 1024  # more than any socket buffers


class Endless:
    """An app that sends LENGTH bytes, and tells how it ended."""

    def __init__(self) -> None:
        self.left = asyncio.Event()
        self.sent = 0

    async def __call__(self, scope: object, receive: object, send: object) -> None:
        assert callable(send)
        assert callable(receive)
        await receive()
        headers = [(b"content-length", str(LENGTH).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        sending = asyncio.create_task(self._send(send))
        while (await receive())["type"] != "http.disconnect":
            pass
        if self.sent < LENGTH:
            self.left.set()
        sending.cancel()

    async def _send(self, send: object) -> None:
        assert callable(send)
        while self.sent < LENGTH:
            await asyncio.sleep(0)  # to a reader that has gone, `send` does not wait
            self.sent += 65536
            await send({"type": "http.response.body", "body": bytes(65536), "more_body": self.sent < LENGTH})


@pytest.fixture
async def app() -> Endless:
    return Endless()


@pytest.fixture
async def address(app: Endless) -> AsyncIterator[tuple[str, int]]:
    config = uvicorn.Config(app, http=stalled.Protocol, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    listener = socket.create_server(("127.0.0.1", 0))
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    yield listener.getsockname()
    await server.shutdown(sockets=[listener])


async def ask(address: tuple[str, int]) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection(*address, limit=1024)
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    return reader, writer


async def test_a_stalled_reader_is_disconnected(
    app: Endless, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stalled, "STALLED_SECONDS", 0.2)
    _, writer = await ask(address)
    async with asyncio.timeout(30):
        await app.left.wait()
    assert app.sent < LENGTH
    writer.close()


async def test_a_reader_gets_everything(app: Endless, address: tuple[str, int]) -> None:
    reader, writer = await ask(address)
    received = 0
    async with asyncio.timeout(60):
        await reader.readuntil(b"\r\n\r\n")
        while received < LENGTH:
            piece = await reader.read(1024 * 1024)
            assert piece
            received += len(piece)
    assert not app.left.is_set()
    writer.close()


async def test_one_who_reads_slowly_is_not_stalled(
    app: Endless, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look finds less waiting than the one before."""
    looks = 0

    class Slow(asyncio.Transport):
        waiting = 1000
        aborted = False

        def get_write_buffer_size(self) -> int:
            nonlocal looks
            looks += 1
            self.waiting -= 1
            return self.waiting

        def abort(self) -> None:
            self.aborted = True

    monkeypatch.setattr(stalled, "STALLED_SECONDS", 0)
    protocol = stalled.Protocol.__new__(stalled.Protocol)
    protocol.transport = transport = Slow()
    protocol._watch()
    async with asyncio.timeout(30):
        while looks < 20:
            await asyncio.sleep(0)
    assert not transport.aborted
    protocol._forget()
