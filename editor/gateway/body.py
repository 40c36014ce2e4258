"""Request bodies with limits on length, time and number."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from math import inf
from weakref import WeakValueDictionary

from editor.concurrency.semaphore import FairSemaphore
from editor.errors import EditorError
from editor.gateway.asgi import App, Message, Receive, Scope, Send
from editor.gateway.profile import Headers

# A sender that has stopped is timed out, and no other: each piece adds to the time to wait for the next.
BODY_SECONDS = 60.0  # to wait for the sender of a body, at first and at most
SLOWEST = 1024  # bytes that add a second; a sender that is no slower is never timed out
PIECE_SECONDS = 30.0  # for the next piece of a body that holds a slot
SLOT_SECONDS = 60.0  # that an unread body waits for a slot
# While others wait for a slot, the slowest sender below this speed loses its own, one at a time.
SLOW = 64 * 1024  # bytes a second
SLOW_SECONDS = 10.0  # that a sender has to show its speed, and that others wait before each loss
# How much of a rejected body is read: most clients send all of it before they read the response.
IGNORED_BYTES = 32 * 1024**2
IGNORED_SECONDS = 5.0
_STOPPED = "The request body did not arrive in time."
_LOST = "Others are waiting to send, and this was slow. Send it again later, or from a faster connection."
_BODY_HEADERS = (b"content-length", b"content-type", b"transfer-encoding", b"expect")


class TooLarge(EditorError):
    """The body exceeds the limit."""

    code = "too_large"
    status = 413


class TooSlow(EditorError):
    """The body did not arrive in time."""

    code = "request_timeout"
    status = 408


class Busy(EditorError):
    """Too many bodies are being received."""

    code = "busy"
    status = 503
    retryable = True


class Body:
    """One request's body. `receive` raises TooLarge and TooSlow; `complete` is set once all is received."""

    def __init__(self, receive: Receive, *, limit: int) -> None:
        self.complete = False
        self._hung_up = asyncio.Event()
        self._receive = receive
        self._limit = limit
        self._received = 0
        self._left = BODY_SECONDS  # to wait for the sender
        self._slot_since: float | None = None
        self._received_before = 0  # the slot
        self._lost_slot = False
        self._wait: asyncio.Timeout | None = None

    def check_length(self, headers: Headers) -> None:
        """Raise TooLarge if Content-Length exceeds the limit or is not a number."""
        declared = headers.get("content-length") or "0"
        if not declared.isdecimal() or int(declared[:20]) > self._limit:
            raise self._too_large()

    async def receive(self) -> Message:
        """The next piece. Only time spent waiting for the sender counts."""
        if self.complete:
            return await self._until_gone()
        clock = asyncio.get_running_loop().time
        began = clock()
        message = await self._next_piece()
        length = len(message.get("body", b""))
        self._left = min(BODY_SECONDS, self._left + length / SLOWEST - (clock() - began))
        self._received += length
        self.complete = not message.get("more_body", False)
        if self._received > self._limit:
            raise self._too_large()
        return message

    async def _next_piece(self) -> Message:
        if self._lost_slot:
            raise TooSlow(_LOST)
        seconds = self._left if self._slot_since is None else min(PIECE_SECONDS, self._left)
        try:
            async with asyncio.timeout(seconds) as self._wait:
                return await self._receive()
        except TimeoutError:
            raise TooSlow(_LOST if self._lost_slot else _STOPPED) from None
        finally:
            self._wait = None

    def hold_slot(self) -> None:
        """From now on each piece has PIECE_SECONDS, and the sender's speed counts."""
        self._slot_since = asyncio.get_running_loop().time()
        self._received_before = self._received

    def speed(self) -> float:
        """Bytes a second since it holds a slot; infinite while that says nothing."""
        if self._slot_since is None or self.complete or self._lost_slot:
            return inf
        seconds = asyncio.get_running_loop().time() - self._slot_since
        return (self._received - self._received_before) / seconds if seconds >= SLOW_SECONDS else inf

    def lose_slot(self) -> None:
        """Have `receive` raise TooSlow, so that the slot becomes free."""
        self._lost_slot = True
        if self._wait is not None and not self._wait.expired():
            self._wait.reschedule(asyncio.get_running_loop().time())

    async def discard(self) -> None:
        """Read what is left, within limits: a closed connection would discard the response to it."""
        if not self.complete:
            await _ignore(self._receive, most=IGNORED_BYTES - self._received)

    def hang_up(self) -> None:
        """Make the app see the caller disconnect."""
        self._hung_up.set()

    async def _until_gone(self) -> Message:
        waits = {
            asyncio.ensure_future(self._receive()),
            asyncio.ensure_future(self._hung_up.wait()),
        }
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for one in waits:
                one.cancel()
        return {"type": "http.disconnect"}

    def _too_large(self) -> TooLarge:
        kib = self._limit // 1024
        most = f"{kib // 1024:,} MiB" if kib >= 1024 else f"{kib:,} KiB"
        return TooLarge(f"The request body is too large: at most {most} is allowed.")


class BodySlots:
    """Limits concurrent bodies: `most` in total, `each` per sender. Others wait SLOT_SECONDS."""

    def __init__(self, *, most: int, each: int) -> None:
        self._all = FairSemaphore(most)
        self._each = each
        self._senders: WeakValueDictionary[str, FairSemaphore] = WeakValueDictionary()
        self._holders: dict[Body, str] = {}

    @asynccontextmanager
    async def slot(self, sender: str, body: Body) -> AsyncIterator[None]:
        """Hold a slot for a body of this sender, which may lose it to others if it is slow. Raises Busy."""
        own = self._senders.get(sender) or self._senders.setdefault(sender, FairSemaphore(self._each))
        async with AsyncExitStack() as stack:
            hurrying = asyncio.ensure_future(self._hurry(sender))
            try:
                async with asyncio.timeout(SLOT_SECONDS):
                    # The sender's own first: waiting for it holds nothing that others could use.
                    await stack.enter_async_context(own.slot(sender))
                    await stack.enter_async_context(self._all.slot(sender))
            except TimeoutError:
                raise Busy("Too many uploads are in progress. Try again shortly.", retry_after=5) from None
            finally:
                hurrying.cancel()
            self._holders[body] = sender
            stack.callback(self._holders.pop, body)
            body.hold_slot()
            yield

    async def _hurry(self, sender: str) -> None:
        """While this sender waits, take the slot from the slowest body that keeps it waiting."""
        while True:
            await asyncio.sleep(SLOW_SECONDS)
            own = [body for body, holder in self._holders.items() if holder == sender]
            rivals = own if len(own) >= self._each else self._holders
            slowest = min(rivals, key=Body.speed, default=None)
            if slowest is not None and slowest.speed() < SLOW:
                slowest.lose_slot()


def announced(headers: Headers) -> bool:
    """Whether the headers announce a body."""
    return headers.get("content-length").strip("0 ") != "" or bool(headers.get("transfer-encoding"))


async def pass_on(
    app: App,
    scope: Scope,
    body: Body,
    send: Send,
    *,
    first: Message | None = None,
    on_complete: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Call `app` with the body. Raises the body's error.

    first        a piece that was already read
    on_complete  called when all of the body is received
    """
    problem: EditorError | None = None

    async def receive() -> Message:
        nonlocal first, problem
        if first is not None:
            message, first = first, None
            return message
        try:
            message = await body.receive()
            if body.complete and on_complete is not None:
                await on_complete()
            return message
        except EditorError as error:
            problem = error
            return {"type": "http.disconnect"}  # Django then discards what it has read

    await app(scope, receive, send)
    if problem is not None:
        raise problem


async def pass_on_without_body(app: App, scope: Scope, receive: Receive, send: Send) -> None:
    """Call `app` with an empty body, and close the connection after its response."""
    head = [(name, value) for name, value in scope["headers"] if name not in _BODY_HEADERS]
    sent = False

    async def nothing() -> Message:
        nonlocal sent
        if sent:
            await asyncio.Future()  # until the response is sent
        sent = True
        return {"type": "http.request", "body": b"", "more_body": False}

    async def open_ended(message: Message) -> None:
        if message["type"] == "http.response.start":
            await send({**message, "headers": [*message["headers"], (b"connection", b"close")]})
        else:
            await send({**message, "more_body": True})

    await app({**scope, "headers": head}, nothing, open_ended)
    await _ignore(receive, most=IGNORED_BYTES)
    await send({"type": "http.response.body", "body": b""})


async def _ignore(receive: Receive, *, most: int) -> None:
    """Read and discard at most so many bytes, for a limited time."""
    left, more = most, True
    with suppress(TimeoutError):
        async with asyncio.timeout(IGNORED_SECONDS):
            while more and left > 0:
                message = await receive()
                left -= len(message.get("body", b""))
                more = message.get("more_body", False)
