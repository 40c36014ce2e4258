"""Web and worker in one process, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

import uvicorn

from editor.gate import waiting
from editor.providers import http
from editor.worker.runner import run_worker
from editor.worker.stalled import Protocol

# After a signal, seconds in which held calls may still be finished; then in which all must have gone.
HELD_SECONDS = 10
GOODBYE_SECONDS = 20
# Of a websocket. Pages say nothing there, and programs a few words.
LONGEST_MESSAGE = 64 * 1024  # bytes


class Server(uvicorn.Server):
    """uvicorn, but for its signals: it raises them again, which would cut the worker's shutdown off."""

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
    *, host: str, port: int, with_worker: bool, background: list[Callable[[], Awaitable[None]]]
) -> None:
    """Serve until SIGINT or SIGTERM; `background` coroutines run beside it."""
    config = uvicorn.Config(
        "imageeditor.asgi:application",
        host=host,
        port=port,
        http=Protocol,
        lifespan="off",
        log_level="warning",
        access_log=False,
        proxy_headers=True,
        timeout_graceful_shutdown=GOODBYE_SECONDS,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=LONGEST_MESSAGE,
    )
    tasks = [asyncio.ensure_future(start()) for start in background]
    if with_worker:
        tasks.append(asyncio.ensure_future(run_worker()))
    try:
        await Server(config).serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await http.close()


async def work(*, background: list[Callable[[], Awaitable[None]]]) -> None:
    """The worker alone, until SIGINT or SIGTERM."""
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
