"""Authenticates, authorizes and rate-limits a request before a byte of its body is read.

Each door for programs stands behind a gate of its own, which knows where the door's clients put
their key and what its errors look like. Past it, `scope["caller"]` is who calls. Who loses that right
while a call is held, or a stream goes on, gets an error at once; the job goes on.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from editor import disk, retry_after
from editor.access import credentials, rate_limits
from editor.access.rate_limits import Allowance
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.errors import (
    EditorError,
    InvalidInput,
    LimitExceeded,
    NotAuthenticated,
    PermissionDenied,
)
from editor.gateway import addresses, rights
from editor.gateway.asgi import App, Message, Receive, Scope, Send
from editor.gateway.body import Body, BodySlots, announced
from editor.gateway.profile import Caller, Headers, Profile, RepeatedCredentials
from editor.operations import api_keys

log = logging.getLogger("editor.gateway")

REFUSED_A_MINUTE = 30  # requests without a valid key, from one address
# Clients of the compatible doors ask once or twice a second how their tasks are.
POLLS_FOR_A_REQUEST = 20
PASSES_A_MINUTE = 600  # requests to one signed address
SMALL = 256 * 1024  # bytes of a body that needs no place
LARGE_AT_ONCE, LARGE_OF_ONE_SENDER = 16, 4
UNWATCHED_SECONDS = 1.0  # of a call, before its caller's rights are watched
LEAVE_SECONDS = 5.0  # for a call to end after its caller lost the right to it
LONGEST_KEY = 200  # characters; no key of any kind is longer
_JSON = (b"application/json", b"application/problem+json")


class GatewayMiddleware:
    """ASGI: lets those in who may, with limits counted, and gives every error the door's envelope."""

    def __init__(self, app: App, profile: Profile) -> None:
        self.app = app
        self.profile = profile
        self._slots = BodySlots(most=LARGE_AT_ONCE, each=LARGE_OF_ONE_SENDER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send, self.profile, scope["method"])
        body = Body(receive, limit=self.profile.body_limit)
        try:
            headers = Headers(scope)
            if not self.profile.is_open(scope["path"]):
                name = self.profile.signed_subject(scope, headers)
                if name and not headers.repeated_credentials():
                    await self._let_pass(name, headers, answer)
                else:
                    await self._admit(scope, headers, answer)
            body.check_length(headers)
            await self._read(scope, headers, body, answer)
        except EditorError as error:
            await answer.refuse(error)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], scope["path"])
            await answer.refuse(disk.error_for(error, otherwise=_message_of(500, scope["method"])))

    async def _read(self, scope: Scope, headers: Headers, body: Body, answer: _Answer) -> None:
        """Call the app; of large bodies only so many at once are on their way to it."""
        async with AsyncExitStack() as place:
            if announced(headers) and not 0 < int(headers.get("content-length") or "0") <= SMALL:
                caller = scope.get("caller")
                sender = str(caller.actor.workspace.id) if caller else sender_address(scope)
                await place.enter_async_context(self._slots.slot(sender, body))

            async def receive() -> Message:
                message = await body.receive()
                if body.complete:
                    await place.aclose()
                return message

            await self._serve(scope, receive, body, answer)

    async def _serve(self, scope: Scope, receive: Receive, body: Body, answer: _Answer) -> None:
        """Let the app answer, as long as the caller may have the answer."""
        caller: Caller | None = scope.get("caller")
        if caller is None:
            await self.app(scope, receive, answer.send)
            return
        work = asyncio.ensure_future(self.app(scope, receive, answer.send))
        try:
            done, _ = await asyncio.wait({work}, timeout=UNWATCHED_SECONDS)
            if not done:
                await self._watch(work, caller, scope, body, answer)
        finally:
            if not work.done():
                work.cancel()
        await work

    async def _watch(
        self, work: asyncio.Future[None], caller: Caller, scope: Scope, body: Body, answer: _Answer
    ) -> None:
        async with rights.watching(credentials.holder_of_key(caller.key)) as lost:
            waits: set[asyncio.Future[Any]] = {work, lost}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return
        await answer.end(scope, lost.result())
        body.hang_up()
        # As when the caller disconnects: the app ends, and the job goes on.
        await asyncio.wait({work}, timeout=LEAVE_SECONDS)

    async def _let_pass(self, name: str, headers: Headers, answer: _Answer) -> None:
        """Count a request whose address is signed. Raises TooMany."""
        check_host(headers)
        answer.allowance = await rate_limits.take(f"pass:{name}", per_minute=PASSES_A_MINUTE)
        if not answer.allowance.allowed:
            raise _limit_exceeded(answer.allowance, f"This URL allows {PASSES_A_MINUTE} requests per minute.")

    async def _admit(self, scope: Scope, headers: Headers, answer: _Answer) -> None:
        """Find out who calls and count the request. Raises NotAuthenticated, PermissionDenied, TooMany."""
        address = f"refused:{sender_address(scope)}"
        answer.allowance = await rate_limits.look(address, per_minute=REFUSED_A_MINUTE)
        check_host(headers)
        try:
            caller = await in_thread(_caller, self.profile, headers)
        except (NotAuthenticated, PermissionDenied):
            # Not before: behind one address there may be others, whose keys are good.
            answer.allowance = await rate_limits.take(address, per_minute=REFUSED_A_MINUTE)
            if not answer.allowance.allowed:
                why = "Too many requests without a valid key from your IP address."
                raise _limit_exceeded(answer.allowance, why) from None
            raise
        workspace = caller.actor.workspace
        threads.tenant.set(str(workspace.id))
        what, limit = "requests", workspace.plan.requests_per_minute
        if self.profile.is_poll(scope["path"]):
            what, limit = "polls", limit * POLLS_FOR_A_REQUEST
        answer.allowance = await rate_limits.take(f"{what}:{workspace.id}", per_minute=limit)
        if not answer.allowance.allowed:
            raise _limit_exceeded(
                answer.allowance, f"This workspace's plan allows {limit} {what} per minute."
            )
        scope["caller"] = caller


def _caller(profile: Profile, headers: Headers) -> Caller:
    if repeated := headers.repeated_credentials():
        raise RepeatedCredentials(f"The header {repeated[0]} was sent more than once.")
    bare = profile.bare_key(headers)
    key = api_keys.find(bare) if 0 < len(bare) <= LONGEST_KEY else None
    if key is None:
        raise NotAuthenticated("Missing or invalid API key.")
    actor = credentials.actor_of(key, channel=profile.name)
    profile.verify(headers, key)
    api_keys.touch(key)
    return Caller(actor=actor, key=key)


def check_host(headers: Headers) -> None:
    """Raise InvalidInput unless the portal is reached under a name of its own."""
    host, _ = split_domain_port(headers.get("host"))
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        raise InvalidInput("This portal does not serve that host name.")


def sender_address(scope: Scope) -> str:
    """Who sent the request, as they are counted."""
    return addresses.counted(scope["client"][0] if scope.get("client") else "")


def _limit_exceeded(allowance: Allowance, why: str) -> LimitExceeded:
    return LimitExceeded(
        f"{why} Try again in {allowance.retry_after} seconds.", retry_after=allowance.retry_after
    )


class _Answer:
    """What goes out: the limits on every answer, and no error but in the door's envelope."""

    def __init__(self, send: Send, profile: Profile, method: str) -> None:
        self.allowance: Allowance | None = None
        self._send = send
        self._profile = profile
        self._method = method
        self._started = False
        self._replaced = False
        self._is_stream = False

    async def send(self, message: Message) -> None:
        if self._replaced:
            return
        if message["type"] == "http.response.start":
            self._started = True
            headers = {name.lower(): value for name, value in message["headers"]}
            self._is_stream = headers.get(b"content-type", b"").startswith(b"text/event-stream")
            is_json = headers.get(b"content-type", b"").startswith(_JSON)
            if message["status"] >= 400 and not is_json:
                self._replaced = True
                error = _message_of(message["status"], self._method)
                await self._send_error(error, message["status"], _kept(headers))
                return
            # What is open to all may say itself how long it is kept.
            extra = [(name, value) for name, value in self._extra_headers() if name not in headers]
            message = {**message, "headers": [*message["headers"], *extra]}
        await self._send(message)

    async def end(self, scope: Scope, error: EditorError) -> None:
        """Answer with an error instead of whatever the app sends from now on."""
        if not self._started:
            await self.refuse(error)
        elif self._is_stream:
            content = self._profile.last_event(scope, error)
            await self._send({"type": "http.response.body", "body": content, "more_body": False})
        self._replaced = True

    async def refuse(self, error: EditorError) -> None:
        """Answer with an error, unless the answer has begun already."""
        if self._started:
            log.warning("a response was cut off: %s", error.message)
            return
        self._started = True
        headers = [(b"connection", b"close")] if error.status in (408, 413) else []
        if isinstance(error, NotAuthenticated):
            headers.append((b"www-authenticate", b"Bearer"))
        headers += retry_after.raw_headers(error)
        await self._send_error(error, self._profile.status(error), headers)

    async def _send_error(self, error: EditorError, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        content = self._profile.envelope(status, error)
        start = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            *headers,
            *self._extra_headers(),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": start})
        await self._send({"type": "http.response.body", "body": b"" if self._method == "HEAD" else content})

    def _extra_headers(self) -> list[tuple[bytes, bytes]]:
        headers = [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
        if self.allowance is None:
            return headers
        return [
            *headers,
            (b"x-ratelimit-limit", str(self.allowance.limit).encode()),
            (b"x-ratelimit-remaining", str(self.allowance.remaining).encode()),
            (b"x-ratelimit-reset", str(self.allowance.reset).encode()),
        ]


def _kept(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, headers[name]) for name in (b"allow", b"retry-after") if name in headers]


def _message_of(status: int, method: str) -> EditorError:
    """For answers that Django itself gives."""
    match status:
        case 404:
            text = "There is nothing at this URL."
        case 405:
            text = f"This URL does not support {method}."
        case _ if status < 500:
            text = f"The request cannot be served: {HTTPStatus(status).phrase}."
        case _:
            text = "The portal failed to handle this request. Try again, or ask an operator for help."
    error = EditorError(text)
    error.code = HTTPStatus(status).name.lower()
    return error
