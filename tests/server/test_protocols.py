"""Connections that a real server closes: clients that do not read, send too much or send half."""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import uvicorn
import uvloop

from editor.server import protocols
from editor.server.connections import Bounds, Connections
from editor.server.protocols import HttpProtocol, WebSocketProtocol
from tests.patience import PATIENCE, wait_until

MASK = b"\0\0\0\0"  # leaves the content unchanged
PING, PONG = b"\x89\x80" + MASK, b"\x8a\x80" + MASK
LONG_PING = b"\x89\xfd" + MASK + b"p" * 125
MORE = b"\x00\x80" + MASK  # an empty fragment of a message, not its last
LAST = b"\x80\x80" + MASK
READ_AT_ONCE = 256 * 1024  # maximum bytes per read of the loop
GET = b"GET /%s HTTP/1.1\r\nhost: x\r\n\r\n"
POST = b"POST /%s HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\n"


class Portal:
    """A server whose app echoes bodies and messages, with few connections."""

    def __init__(self, *, total: int, ping_interval: float) -> None:
        self.pieces: list[tuple[str, bytes]] = []  # of bodies, as received by the app
        self.hold = threading.Event()
        clients = Connections(Bounds(total=total, of_one=total), is_proxy=lambda address: True)
        self.config = uvicorn.Config(
            self.app,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_keep_alive=int(PATIENCE),
            timeout_graceful_shutdown=0,
            ws_ping_interval=ping_interval,
            ws_ping_timeout=PATIENCE,
            http=partial(HttpProtocol, clients=clients),  # type: ignore[arg-type]
            ws=partial(WebSocketProtocol, clients=clients),  # type: ignore[arg-type]
        )
        self.server = uvicorn.Server(self.config)
        self.listener = socket.create_server(("127.0.0.1", 0))

    def run(self) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.server.serve(sockets=[self.listener]))

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":
            await _echo(receive, send)
            return
        start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
        if scope["path"] == "/early":
            await send(start)
            await send({"type": "http.response.body", "body": b"early", "more_body": True})
        body, more = b"", True
        while more:
            event = await receive()
            if event["type"] == "http.disconnect":
                return
            self.pieces.append((scope["path"], event["body"]))
            body, more = body + event["body"], event["more_body"]
        if scope["path"] == "/held":
            await asyncio.to_thread(self.hold.wait, PATIENCE)
        if scope["path"] != "/early":
            await send(start)
        await send({"type": "http.response.body", "body": body + b"done"})

    def connect(self, *, receive_buffer: int = 0) -> socket.socket:
        client = socket.socket()
        client.settimeout(PATIENCE)
        if receive_buffer:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        client.connect(self.listener.getsockname())
        return client

    def ask(self, request: bytes) -> bytes:
        """The response's first line."""
        with self.connect() as client:
            client.sendall(request)
            return read_until(client, b"\r\n").partition(b"\r\n")[0]

    def half_sent(self, name: bytes) -> socket.socket:
        """Connection of a request with an incomplete body that the app waits for."""
        client = self.connect()
        client.sendall(POST % name + b"a")
        self.wait_for(name, b"a")
        return client

    def wait_for(self, name: bytes, piece: bytes) -> None:
        wait_until(lambda: ("/" + name.decode(), piece) in self.pieces)

    def websocket(self, *, receive_buffer: int = 0) -> socket.socket:
        client = self.connect(receive_buffer=receive_buffer)
        client.sendall(
            b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        assert read_until(client, b"\r\n\r\n").startswith(b"HTTP/1.1 101 ")
        return client


async def _echo(receive: Any, send: Any) -> None:
    await receive()
    await send({"type": "websocket.accept"})
    while (event := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": event["text"]})


@contextlib.contextmanager
def portal(*, total: int = 8, ping_interval: float = PATIENCE) -> Iterator[Portal]:
    running = Portal(total=total, ping_interval=ping_interval)
    thread = threading.Thread(target=running.run)
    thread.start()
    try:
        wait_until(lambda: running.server.started or not thread.is_alive())
        yield running
    finally:
        running.hold.set()
        running.server.should_exit = True
        thread.join(PATIENCE)
        running.listener.close()
    assert not thread.is_alive()


def text(content: bytes) -> bytes:
    return b"\x81" + bytes([0x80 | len(content)]) + MASK + content


def read_until(client: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        piece = client.recv(1)
        assert piece, received
        received += piece
    return received


def is_ended(client: socket.socket) -> bool:
    """Whether the server has closed it, or closes it soon."""
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True


def test_a_client_that_stops_reading_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "UNREAD_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as client:
        protocols.end_unread([listener])
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        ours, _ = listener.accept()
        with ours:
            ours.setblocking(False)
            with pytest.raises(BlockingIOError):
                while True:
                    ours.send(b"a" * 65536)
            ended = select.poll()
            ended.register(ours, select.POLLERR)
            assert ended.poll(60_000)
            with pytest.raises(TimeoutError):
                ours.send(b"a")


@pytest.mark.parametrize("frame", [PING, PONG, b"\x01\x80" + MASK + MORE * 20 + LAST, text(b"a")])
def test_a_websocket_that_floods_is_disconnected(monkeypatch: pytest.MonkeyPatch, frame: bytes) -> None:
    monkeypatch.setattr(protocols, "BYTES_A_SECOND", 0)
    with portal() as running, running.websocket() as client:
        # Many times the limit, though few bytes.
        flood(client, frame, size=protocols.BURST_BYTES * 4)


def test_a_message_in_too_many_parts_ends_its_websocket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "BURST_BYTES", 1 << 40)
    with portal() as running, running.websocket() as client:
        client.sendall(b"\x01\x80" + MASK)
        flood(client, MORE, size=len(MORE) * protocols.FRAGMENTS * 4)


def flood(client: socket.socket, frame: bytes, *, size: int) -> None:
    """Send `size` bytes of frames, and read the responses, until the server closes the connection."""
    reader = threading.Thread(target=read_all, args=[client])
    reader.start()
    with contextlib.suppress(ConnectionError):
        client.sendall(frame * (size // len(frame)))
    reader.join(PATIENCE)
    assert not reader.is_alive()


def read_all(client: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):
        while client.recv(65536):
            pass


def test_a_websocket_that_sends_little_stays_connected() -> None:
    with portal(ping_interval=0.05) as running, running.websocket() as client:
        for _ in range(3):
            ping = client.recv(6, socket.MSG_WAITALL)
            assert ping[:2] == b"\x89\x04"
            client.sendall(b"\x8a\x84" + MASK + ping[2:])
        client.sendall(text(b"hello"))
        read_until(client, b"\x81\x05hello")


def test_the_allowance_refills(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "BURST_BYTES", 3 * protocols.FRAME_BYTES)
    monkeypatch.setattr(protocols, "BYTES_A_SECOND", 1 << 40)
    with portal() as running, running.websocket() as client:
        for _ in range(20):
            moved_on = time.monotonic() + 0.002  # the server's clock counts milliseconds
            wait_until(lambda end=moved_on: time.monotonic() > end)  # type: ignore[misc]
            client.sendall(text(b"a"))
            assert client.recv(3, socket.MSG_WAITALL) == b"\x81\x01a"


def test_nothing_is_read_from_a_websocket_that_does_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocols, "BURST_BYTES", 1 << 40)
    with portal() as running, running.websocket(receive_buffer=4096) as client:
        transport = websocket_of(running).transport
        most = transport.get_write_buffer_limits()[1] + READ_AT_ONCE
        client.setblocking(False)
        unsent = b""
        while transport.is_reading():
            assert transport.get_write_buffer_size() <= most
            unsent = send_some(client, unsent or LONG_PING * 500)
        assert transport.get_write_buffer_size() <= most
        # It continues as soon as the client reads.
        unsent += text(b"bye")
        received = b""
        while not received.endswith(b"\x81\x03bye"):
            ready, _, _ = select.select([client], [client] if unsent else [], [], PATIENCE)
            if ready:
                received = received[-4:] + client.recv(65536)
            unsent = send_some(client, unsent)


def websocket_of(running: Portal) -> WebSocketProtocol:
    (protocol,) = running.server.server_state.connections
    assert isinstance(protocol, WebSocketProtocol)
    return protocol


def send_some(client: socket.socket, data: bytes) -> bytes:
    """Returns the unsent rest."""
    try:
        return data[client.send(data) :] if data else b""
    except BlockingIOError:
        return data


def test_half_sent_bodies_make_room_for_a_request() -> None:
    with portal(total=4) as running, contextlib.ExitStack() as clients:
        half = [clients.enter_context(running.half_sent(b"%d" % number)) for number in range(4)]
        half[0].sendall(b"b")  # still active, and now newer than the others
        running.wait_for(b"0", b"b")
        assert running.ask(GET % b"honest") == b"HTTP/1.1 200 OK"
        assert is_ended(half[1])
        for client, rest in [(half[0], b"cd"), (half[2], b"bcd"), (half[3], b"bcd")]:
            client.sendall(rest)
            read_until(client, b"abcddone")


def test_a_body_that_is_complete_is_not_closed_for_another() -> None:
    with portal(total=1) as running, running.connect() as client:
        client.sendall(POST % b"held" + b"abcd")
        running.wait_for(b"held", b"abcd")
        assert running.ask(GET % b"other") == b"HTTP/1.1 503 Service Unavailable"
        running.hold.set()
        read_until(client, b"abcddone")


def test_a_request_whose_answer_has_begun_is_not_closed_for_another() -> None:
    with portal(total=1) as running, running.half_sent(b"early") as client:
        assert running.ask(GET % b"other") == b"HTTP/1.1 503 Service Unavailable"
        client.sendall(b"bcd")
        read_until(client, b"abcddone")


def test_half_a_body_behind_a_request_in_progress_waits_for_its_end() -> None:
    with portal(total=1) as running, running.connect() as client:
        client.sendall(GET % b"held")
        running.wait_for(b"held", b"")
        client.sendall(POST % b"second" + b"a")
        assert running.ask(GET % b"other") == b"HTTP/1.1 503 Service Unavailable"
        running.hold.set()
        read_until(client, b"done")
        assert running.ask(GET % b"other") == b"HTTP/1.1 200 OK"
        wait_until(lambda: is_ended(client))
