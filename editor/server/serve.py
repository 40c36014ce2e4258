"""Web and worker in one process, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from socket import socket
from types import FrameType

import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from editor.engine import waiting
from editor.providers import http
from editor.server import connections, protocols
from editor.server.connections import Bounds, Connections
from editor.worker.runner import run_worker

log = logging.getLogger("editor.connections")

# After a signal: seconds until held calls end, then seconds until all connections are closed.
HELD_SECONDS = 10
GOODBYE_SECONDS = 20
BACKLOG = 128  # connections that the system holds until they are accepted
# Of a WebSocket. Pages send nothing, and API clients little.
LONGEST_MESSAGE = 64 * 1024  # bytes


class Server(uvicorn.Server):
    """uvicorn without its signal handling: it re-raises signals, which would abort the worker's shutdown.

    listening  is called once with the port that connections are accepted on
    """

    def __init__(self, config: uvicorn.Config, *, listening: Callable[[int], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: list[socket] | None = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            protocols.end_unread(server.sockets)
        self._listening(self.servers[0].sockets[0].getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        asyncio.get_running_loop().call_later(HELD_SECONDS, waiting.let_go)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


async def serve(
    *,
    host: str,
    port: int,
    with_worker: bool,
    background: list[Callable[[], Awaitable[None]]],
    listening: Callable[[int], None],
) -> None:
    """Serve until SIGINT or SIGTERM; `background` coroutines run alongside.

    port       0: any free one
    listening  is called with the port once connections are accepted
    """
    bounds = Bounds.of(connections.raise_limit())
    log.info("connections of clients: at most %s, of one address %s", bounds.total, bounds.of_one)
    config = uvicorn.Config(
        "imageeditor.asgi:application",
        host=host,
        port=port,
        backlog=BACKLOG,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=LONGEST_MESSAGE,
    )
    proxies = ProxyHeadersMiddleware(config.app, config.forwarded_allow_ips).trusted_hosts  # type: ignore[arg-type]
    clients = Connections(bounds, is_proxy=proxies.__contains__)
    config.http = partial(protocols.HttpProtocol, clients=clients)  # type: ignore[assignment]
    config.ws = partial(protocols.WebSocketProtocol, clients=clients)  # type: ignore[assignment]
    tasks = [asyncio.ensure_future(start()) for start in background]
    if with_worker:
        tasks.append(asyncio.ensure_future(run_worker()))
    try:
        await Server(config, listening=listening).serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await http.close()


async def work(*, background: list[Callable[[], Awaitable[None]]]) -> None:
    """Run only the worker, until SIGINT or SIGTERM."""
    connections.raise_limit()
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [asyncio.ensure_future(run_worker()), *(asyncio.ensure_future(start()) for start in background)]
    try:
        await stop.wait()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
