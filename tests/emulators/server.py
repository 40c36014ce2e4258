"""An ASGI app served over real HTTP on loopback, by a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import weakref

import uvicorn
from starlette.types import ASGIApp


class Server:
    """Starts and stops within milliseconds, on the same port each time.

    Stopped, it refuses connections; open ones are reset, as when a machine dies.
    """

    def __init__(self, app: ASGIApp, *, host: str = "127.0.0.1", port: int = 0) -> None:
        """`port` 0 takes a free one at the first start."""
        self.app = app
        self.host = host
        self.port = port
        self._place: socket.socket | None = None  # keeps the port while the server is stopped
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Event | None = None

    def start(self) -> None:
        if self._place is None:
            self._place = _bound(self.host, self.port)
            self.port = self._place.getsockname()[1]
            weakref.finalize(self, self._place.close)
        listener = _bound(self.host, self.port)
        listener.listen(2048)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, ready)),
            name=f"emulator:{self.port}",
            daemon=True,
        )
        self._thread.start()
        assert ready.wait(60), "the emulator did not start"

    def stop(self) -> None:
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._ended is not None
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(60)
        self._thread = None

    async def _serve(self, listener: socket.socket, ready: threading.Event) -> None:
        """uvicorn's own `serve` sleeps a fifth of a second to stop, too long for every test."""
        self._loop = asyncio.get_running_loop()
        self._ended = asyncio.Event()
        config = uvicorn.Config(
            self.app,
            lifespan="off",
            log_config=None,
            access_log=False,
            date_header=False,  # the emulator's clock may differ from the machine's
            server_header=False,
            timeout_keep_alive=600,  # no client should reuse a connection that the server is closing
            h11_max_incomplete_event_size=1024 * 1024,
            ws="websockets-sansio",
        )
        config.load()
        server = uvicorn.Server(config)
        server.lifespan = config.lifespan_class(config)
        await server.startup(sockets=[listener])
        await server.on_tick(0)  # sets the default headers of all responses
        ready.set()
        await self._ended.wait()
        for each in server.servers:
            each.close()
        listener.close()
        for connection in list(server.server_state.connections):
            connection.transport.abort()
        if server.server_state.tasks:
            await asyncio.wait(server.server_state.tasks, timeout=1)


def _bound(host: str, port: int) -> socket.socket:
    # With an explicit protocol: without, asyncio leaves Nagle's algorithm on, and each response on a
    # persistent connection is 40 ms late.
    place = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    place.bind((host, port))
    return place
