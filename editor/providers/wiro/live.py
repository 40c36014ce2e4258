"""Wiro's socket, which reports the progress of tasks: a wake-up that makes the next poll come early.

Source: the contract, section 12. No key is sent there; a task's token grants access.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from editor.concurrency.per_loop import PerLoop
from editor.net import policy, resolver, transport

log = logging.getLogger("editor.wiro")

OPEN_SECONDS = 10.0
CLOSE_SECONDS = 1.0
FRAME_BYTES = 8 * 1024**2  # some contain a model's complete output
RECONNECT_PAUSE = 1.0  # seconds
# Seconds without new attempts after a socket that reported nothing.
REST = 30.0

# The frame task_error is a line of stderr, after which tasks continue; task_end comes before the outputs.
_ENDS = ("task_postprocess_end", "task_cancel")


class Live:
    """One connection per event loop and address, shared by all tasks watched there."""

    def __init__(self) -> None:
        self._lines: PerLoop[dict[str, _Line]] = PerLoop(dict)

    async def ended(self, address: str, token: str) -> bool:
        """Wait until the socket reports the task's end; False if the socket fails.

        Waits on a silent socket until the caller is cancelled.
        """
        lines = self._lines.get()
        line = lines.get(address)
        if line is None or line.may_be_tried_again():
            line = lines[address] = _Line(address)
        try:
            return await line.ended(token)
        finally:
            if line.is_idle() and lines.get(address) is line:
                del lines[address]
                line.close()

    def percent(self, address: str, token: str) -> int | None:
        """The task's progress, 0..100, if the socket has reported it."""
        line = self._lines.get().get(address)
        return line.percents.get(token) if line else None


class _Line:
    """One connection, from the first watched task to the last, or until it fails."""

    def __init__(self, address: str) -> None:
        self.percents: dict[str, int] = {}
        self._address = address
        self._waiting: dict[str, set[asyncio.Future[bool]]] = {}
        self._socket: ClientConnection | None = None
        self._failed_at: float | None = None  # on the event loop's clock
        self._task = asyncio.create_task(self._run())

    async def ended(self, token: str) -> bool:
        if self._failed_at is not None:
            return False
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = self._waiting.setdefault(token, set())
        waiting.add(future)
        try:
            if self._socket is not None:
                with contextlib.suppress(ConnectionClosed):  # `_run` handles it
                    await self._socket.send(_subscription(token))
            return await future
        finally:
            waiting.discard(future)
            if not waiting:
                self._waiting.pop(token, None)
                self.percents.pop(token, None)

    def is_idle(self) -> bool:
        """Whether nobody waits and there is no failure to remember."""
        return not self._waiting and self._failed_at is None

    def may_be_tried_again(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._failed_at is not None and now >= self._failed_at + REST

    def close(self) -> None:
        self._task.cancel()

    async def _run(self) -> None:
        try:
            while await self._listen():  # it reported something, so a reconnect is worthwhile
                await asyncio.sleep(RECONNECT_PAUSE)
        finally:
            self._failed_at = asyncio.get_running_loop().time()
            for future in [each for waiting in self._waiting.values() for each in waiting]:
                _set(future, False)

    async def _listen(self) -> bool:
        """Listen until the connection breaks. Returns whether it reported anything about a task."""
        received = False
        try:
            async with _opened(self._address) as self._socket:
                for token in list(self._waiting):
                    await self._socket.send(_subscription(token))
                async for frame in self._socket:
                    received = self._read(frame) or received
        except (OSError, TimeoutError, ValueError, WebSocketException, policy.Forbidden) as error:
            log.info("the socket at %s broke: %s", urlsplit(self._address).hostname, type(error).__name__)
        finally:
            self._socket = None
        return received

    def _read(self, frame: str | bytes) -> bool:
        """Whether the frame was about a watched task."""
        received = _table(frame)
        token = received.get("tasktoken")
        if not isinstance(token, str) or token not in self._waiting:
            return False
        if received.get("type") in _ENDS:
            for future in self._waiting[token]:
                _set(future, True)
        percent = _percent(received.get("message"))
        if percent is not None:
            self.percents[token] = percent
        return True


@contextlib.asynccontextmanager
async def _opened(address: str) -> AsyncIterator[ClientConnection]:
    """A connection, only to allowed addresses. Raises what `_listen` expects."""
    parts = urlsplit(address)
    policy.check_url(address.replace("ws", "http", 1))
    secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    found = await resolver.addresses(host, look_up=resolver.for_providers, seconds=OPEN_SECONDS)
    connection = await connect(
        address,
        host=found[0],  # the address that was checked; the name may resolve differently later
        port=port,
        ssl=transport.usual_trust() if secure else None,
        proxy=None,
        compression=None,
        user_agent_header="image-editor-portal",
        open_timeout=OPEN_SECONDS,
        close_timeout=CLOSE_SECONDS,
        max_size=FRAME_BYTES,
    )
    try:
        yield connection
    finally:
        await connection.close()


def _subscription(token: str) -> str:
    return json.dumps({"type": "task_info", "tasktoken": token})


def _set(future: asyncio.Future[bool], result: bool) -> None:
    if not future.done():
        future.set_result(result)


def _percent(message: Any) -> int | None:
    """Taken from a progress message, which is an object or its JSON text."""
    table = message if isinstance(message, dict) else _table(message) if isinstance(message, str) else {}
    try:
        return max(0, min(100, int(float(table["percentage"]))))
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _table(text: str | bytes) -> dict[str, Any]:
    """Parse a JSON object; empty if it is not one."""
    try:
        received = json.loads(text)
    except ValueError:
        return {}
    return received if isinstance(received, dict) else {}
