"""uvicorn's protocols, with limits on connections, and on the size and time of request headers.

uvicorn itself has none. Bodies are limited in the gateway middleware, where their senders are known.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from uvicorn._types import ASGIReceiveEvent
from uvicorn.protocols.http.flow_control import service_unavailable
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame

from editor.server.connections import Connections, Room

HEAD_SECONDS = 10.0  # to receive a request's line and headers
HEAD_BYTES = 64 * 1024
HEAD_FIELDS = 200  # each takes much more memory as an object than on the wire
PIPELINED = 16  # requests that are sent before the response to the first one
PIECE = 64 * 1024  # bytes that are parsed at once
# Lingering close: what a rejected client may still send until it reads the response.
LINGER_SECONDS, LINGER_BYTES = 2.0, 1024 * 1024
UNREAD_SECONDS = 60  # until a client that reads nothing is disconnected
# Limits for a WebSocket client: burst in bytes, and bytes per second in the long run.
BURST_BYTES, BYTES_A_SECOND = 128 * 1024, 4 * 1024
FRAME_BYTES = 64  # each frame counts as at least this many: an empty one takes time too
FRAGMENTS = 1024  # frames of one message
FRAMES_PIECE = 4 * 1024  # bytes of frames that are parsed before they are counted
HEALTH = ("/healthz", "/readyz")


class _TooLarge(Exception):
    """A request's line and headers exceed the limit."""


class HttpProtocol(HttpToolsProtocol):
    """One HTTP connection."""

    def __init__(self, *args: Any, clients: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clients = clients
        self._room = Room.NONE
        self._deadline: asyncio.TimerHandle | None = None
        self._head_bytes = self._head_fields = 0
        self._unparsed = 0  # bytes since the parser's last callback
        self._too_large = self._refused = False

    # Opening and closing.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._room = self._clients.admit(self, self.client[0] if self.client else "")
        if self._room is Room.NONE:
            transport.write(_answer(HTTPStatus.SERVICE_UNAVAILABLE))
            transport.close()
            return
        if self._room is Room.SPARE:
            self.app = _health_only(self.app)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_deadline()
        self._clients.leave(self)

    def is_drained(self) -> bool:
        answering = (
            self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        )
        return not answering and not self.transport.get_write_buffer_size()

    def drop(self) -> None:
        self.transport.abort()

    def _await_request(self) -> None:
        self._end_deadline()
        self._clients.idle(self)
        # close(), not abort(): a response may still be in transit.
        self._deadline = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _await_body(self) -> None:
        """Mark as idle with each piece until the body is complete; not behind a request in progress."""
        if self.cycle is not None and self.cycle.more_body and not self.pipeline:
            self._clients.idle(self)
        else:
            self._clients.busy(self)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    # Reading.

    def data_received(self, data: bytes) -> None:
        if self._refused:
            self._unparsed += len(data)
            if self._unparsed > LINGER_BYTES:
                self.drop()
            return
        for start in range(0, len(data), PIECE):
            if self._refused or self.transport.is_closing() or self.transport.get_protocol() is not self:
                return
            piece = data[start : start + PIECE]
            self._unparsed += len(piece)
            super().data_received(piece)
            if self._unparsed > HEAD_BYTES:
                self._refuse_head()

    def on_message_begin(self) -> None:
        self._head_bytes = self._head_fields = self._unparsed = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:  # also for a body's trailers
        self._head_fields += 1
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._unparsed = 0
        self._end_deadline()
        super().on_headers_complete()
        self._await_body()
        if len(self.pipeline) > PIPELINED:
            self.drop()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        super().on_body(body)
        self._await_body()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._await_body()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if self.cycle.response_complete:
            self._await_request()
        else:
            self._await_body()

    def _count(self, size: int) -> None:
        self._unparsed = 0
        self._head_bytes += size
        if self._head_bytes > HEAD_BYTES or self._head_fields > HEAD_FIELDS:
            self._too_large = True
            raise _TooLarge

    # Refusing.

    def send_400_response(self, msg: str) -> None:
        """uvicorn calls this when its parser fails, including when `_count` raises."""
        if self._too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _refuse_head(self) -> None:
        """Respond with 431 and close. Keeps reading for a moment: a reset would discard the response."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.drop()  # the response to an earlier request is being sent
            return
        self._refused = True
        self.parser = None  # type: ignore[assignment]  # as uvicorn does when a connection is lost
        self.headers.clear()
        self.transport.write(_answer(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE))
        self.transport.write_eof()
        self._end_deadline()
        self._clients.busy(self)
        self._deadline = self.loop.call_later(LINGER_SECONDS, self.drop)

    def handle_websocket_upgrade(self) -> None:
        if self._room is Room.SPARE:
            self.transport.write(_answer(HTTPStatus.SERVICE_UNAVAILABLE))
            self.transport.close()
            return
        super().handle_websocket_upgrade()
        protocol = self.transport.get_protocol()
        assert isinstance(protocol, WebSocketProtocol)
        self._clients.replace(self, protocol)


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A connection upgraded to a WebSocket. It is never idle: pings detect dead ones.

    A client that sends more than its allowance is disconnected. Reading pauses while a client does not
    read what is sent to it, since each of its pings gets a pong.
    """

    def __init__(self, *args: Any, clients: Connections, **options: Any) -> None:
        super().__init__(*args, **options)
        self._clients = clients
        self._allowance: float = BURST_BYTES
        self._counted_at = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._clients.leave(self)

    def is_drained(self) -> bool:
        return not self.transport.get_write_buffer_size()

    def drop(self) -> None:
        self.transport.abort()

    def data_received(self, data: bytes) -> None:
        if not self.handshake_initiated:  # the request's headers, which HttpProtocol has limited
            super().data_received(data)
            return
        for start in range(0, len(data), FRAMES_PIECE):
            if self.transport.is_closing():
                return
            super().data_received(data[start : start + FRAMES_PIECE])

    def handle_events(self) -> None:
        frames = [event for event in self.conn.events if isinstance(event, Frame)]
        self._spend(sum(max(len(frame.data), FRAME_BYTES) for frame in frames))
        if self._allowance < 0 or len(self.frames) > FRAGMENTS:
            self.drop()
        else:
            super().handle_events()

    def _spend(self, size: int) -> None:
        now = self.loop.time()
        refilled = self._allowance + (now - self._counted_at) * BYTES_A_SECOND
        self._allowance = min(refilled, BURST_BYTES) - size
        self._counted_at = now

    def pause_writing(self) -> None:
        super().pause_writing()
        self._read_only_if_written()

    def resume_writing(self) -> None:
        super().resume_writing()
        if not self.read_paused and not self.transport.is_closing():
            self.transport.resume_reading()

    async def receive(self) -> ASGIReceiveEvent:
        message = await super().receive()  # which may resume reading
        self._read_only_if_written()
        return message

    def _read_only_if_written(self) -> None:
        if not self.writable.is_set() and not self.transport.is_closing():
            self.transport.pause_reading()


def end_unread(listeners: Iterable[socket.socket]) -> None:
    """Let the system close connections whose clients stop reading; accepted sockets inherit the option."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux only
    for listener in listeners:
        if option is not None and listener.family in (socket.AF_INET, socket.AF_INET6):
            with contextlib.suppress(OSError):
                listener.setsockopt(socket.IPPROTO_TCP, option, UNREAD_SECONDS * 1000)


def _health_only(app: Any) -> Any:
    async def serve(scope: Any, receive: Any, send: Any) -> None:
        await (app if scope["path"] in HEALTH else service_unavailable)(scope, receive, send)

    return serve


def _answer(status: HTTPStatus) -> bytes:
    body = status.phrase.encode()
    head = (
        f"HTTP/1.1 {status} {status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n"
    )
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        head += "retry-after: 5\r\n"
    return f"{head}\r\n".encode() + body
