"""A server that breaks HTTP in chosen ways, on the test's own event loop."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

Write = asyncio.StreamWriter
Behaviour = Callable[[Write], Awaitable[None]]


class Hostile:
    """url          its origin
    requests     head and body of each request that arrived complete
    connections  how many were opened
    closed       how many of them have ended
    """

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[bytes] = []
        self.connections = 0
        self.closed = 0


@contextlib.asynccontextmanager
async def hostile(
    *behaviours: Behaviour, greeting: bytes = b"", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Hostile]:
    """One behaviour for each request, in order; the last one is repeated.

    greeting  sent before the first request
    """
    reported = Hostile()
    open_connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: Write) -> None:
        reported.connections += 1
        task = asyncio.current_task()
        assert task is not None
        open_connections.add(task)
        writer.write(greeting)
        try:
            while not writer.is_closing():
                reported.requests.append(await _request(reader))
                index = min(len(reported.requests), len(behaviours)) - 1
                await behaviours[index](writer)
                await writer.drain()
            await writer.wait_closed()  # the TLS shutdown, which the test may not wait for
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await writer.wait_closed()
        reported.closed += 1

    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=500, ssl=tls)
    reported.url = f"http{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield reported
    finally:
        server.close()
        for connection in open_connections:
            connection.cancel()
        await asyncio.gather(*open_connections)


def answers(
    body: bytes = b"{}", status: str = "200 OK", *, length: int | None = None, **headers: str
) -> Behaviour:
    """A complete response, on a connection that is kept; `length` overrides the announced length."""
    lines = {
        "content-length": str(len(body) if length is None else length),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = f"HTTP/1.1 {status}\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    async def behave(writer: Write) -> None:
        writer.write(head.encode() + b"\r\n" + body)

    return behave


def sends(content: bytes) -> Behaviour:
    """Send these bytes, then close the connection."""

    async def behave(writer: Write) -> None:
        writer.write(content)
        writer.close()

    return behave


def then_closes(behaviour: Behaviour) -> Behaviour:
    """The same, then close the connection without having announced it."""

    async def behave(writer: Write) -> None:
        await behaviour(writer)
        await writer.drain()
        writer.close()

    return behave


async def resets(writer: Write) -> None:
    """Abort the connection without a response."""
    writer.transport.abort()


async def hangs(writer: Write) -> None:
    """Never respond."""
    await asyncio.Event().wait()


async def drips(writer: Write) -> None:
    """Send a response byte by byte, with short pauses, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def floods(writer: Write) -> None:
    """Send a body without an announced length, for ever."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(bytes(64 * 1024))
        await writer.drain()


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.decode("latin-1").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            length = int(value)
    return head + await reader.readexactly(length)


# Invalid responses.
BROKEN: dict[str, Behaviour] = {
    "closed": sends(b""),
    "reset": resets,
    "half a head": sends(b"HTTP/1.1 200 OK\r\ncontent-le"),
    "half a body": sends(b'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{"id": '),
    "half a chunk": sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n40\r\nabc"),
    "no HTTP": sends(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"),
    "a bad length": sends(b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n{}"),
    "a bad chunk": sends(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"),
    "a bad gzip": answers(b"not gzip", content_encoding="gzip"),
    "an endless head": sends(b"HTTP/1.1 200 OK\r\nx: " + b"y" * 100_000 + b"\r\n\r\n"),
}
