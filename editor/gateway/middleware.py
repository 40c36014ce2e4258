"""Authenticates, authorizes and rate-limits a request before a byte of its body is read.

Each API has its own gateway middleware with a profile: where clients send their key and what errors look
like. It sets `scope["caller"]`. A caller who loses access during a held call or a stream gets an error at
once; the job keeps running.
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
from editor.operations import api_keys, last_used

log = logging.getLogger("editor.gateway")

REFUSED_A_MINUTE = 30  # requests without a valid key, from one address
# Clients of the compatible APIs poll once or twice a second.
POLLS_FOR_A_REQUEST = 20
PASSES_A_MINUTE = 600  # requests to one signed URL
SMALL = 256 * 1024  # bytes of a body that needs no slot
LARGE_AT_ONCE, LARGE_OF_ONE_SENDER = 16, 4
UNWATCHED_SECONDS = 1.0  # of a call, before its caller's access is watched
LEAVE_SECONDS = 5.0  # for a call to end after its caller lost access
LONGEST_KEY = 200  # characters; no key of any kind is longer
# nginx sends what it receives at once, instead of collecting it.
_UNBUFFERED = [(b"x-accel-buffering", b"no")]
_JSON = (b"application/json", b"application/problem+json")


class GatewayMiddleware:
    """ASGI: admits authorized callers within their limits and renders errors in the API's envelope."""

    def __init__(self, app: App, profile: Profile) -> None:
        self.app = app
        self.profile = profile
        self._slots = BodySlots(most=LARGE_AT_ONCE, each=LARGE_OF_ONE_SENDER)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = Body(receive, limit=self.profile.body_limit)
        response = _Response(send, self.profile, scope["method"], body)
        try:
            headers = Headers(scope)
            if not self.profile.is_open(scope["path"]):
                name = self.profile.signed_subject(scope, headers)
                if name and not headers.repeated_credentials():
                    await self._admit_signed(name, headers, response)
                else:
                    await self._admit(scope, headers, response)
            body.check_length(headers)
            await self._read(scope, headers, body, response)
        except EditorError as error:
            await response.refuse(error)
        except Exception as error:
            log.exception("%s %s failed", scope["method"], scope["path"])
            await response.refuse(disk.error_for(error, otherwise=_error_for(500, scope["method"])))

    async def _read(self, scope: Scope, headers: Headers, body: Body, response: _Response) -> None:
        """Call the app; only a limited number of large bodies is received at once."""
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

            await self._serve(scope, receive, body, response)

    async def _serve(self, scope: Scope, receive: Receive, body: Body, response: _Response) -> None:
        """Let the app respond while the caller has access."""
        caller: Caller | None = scope.get("caller")
        if caller is None:
            await self.app(scope, receive, response.send)
            return
        work = asyncio.ensure_future(self.app(scope, receive, response.send))
        try:
            done, _ = await asyncio.wait({work}, timeout=UNWATCHED_SECONDS)
            if not done:
                await self._watch(work, caller, scope, body, response)
        finally:
            if not work.done():
                work.cancel()
        await work

    async def _watch(
        self, work: asyncio.Future[None], caller: Caller, scope: Scope, body: Body, response: _Response
    ) -> None:
        async with rights.watching(credentials.holder_of_key(caller.key)) as lost:
            waits: set[asyncio.Future[Any]] = {work, lost}
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return
        await response.end(scope, lost.result())
        body.hang_up()
        # As when the caller disconnects: the app ends, and the job goes on.
        await asyncio.wait({work}, timeout=LEAVE_SECONDS)

    async def _admit_signed(self, name: str, headers: Headers, response: _Response) -> None:
        """Count a request to a signed URL. Raises LimitExceeded."""
        check_host(headers)
        response.allowance = await rate_limits.take(f"pass:{name}", per_minute=PASSES_A_MINUTE)
        if not response.allowance.allowed:
            raise _limit_exceeded(
                response.allowance, f"This URL allows {PASSES_A_MINUTE} requests per minute."
            )

    async def _admit(self, scope: Scope, headers: Headers, response: _Response) -> None:
        """Authenticate and count. Raises NotAuthenticated, PermissionDenied, LimitExceeded."""
        address = f"refused:{sender_address(scope)}"
        response.allowance = await rate_limits.look(address, per_minute=REFUSED_A_MINUTE)
        check_host(headers)
        try:
            caller = await in_thread(_caller, self.profile, headers, client_address(scope))
        except (NotAuthenticated, PermissionDenied):
            # Not earlier: other clients behind the same address may have valid keys.
            response.allowance = await rate_limits.take(address, per_minute=REFUSED_A_MINUTE)
            if not response.allowance.allowed:
                why = "Too many requests without a valid key from your IP address."
                raise _limit_exceeded(response.allowance, why) from None
            raise
        workspace = caller.actor.workspace
        threads.tenant.set(str(workspace.id))
        what, limit = "requests", workspace.plan.requests_per_minute
        if self.profile.is_poll(scope["path"]):
            what, limit = "polls", limit * POLLS_FOR_A_REQUEST
        response.allowance = await rate_limits.take(f"{what}:{workspace.id}", per_minute=limit)
        if not response.allowance.allowed:
            raise _limit_exceeded(
                response.allowance, f"This workspace's plan allows {limit} {what} per minute."
            )
        scope["caller"] = caller


def _caller(profile: Profile, headers: Headers, address: str | None) -> Caller:
    if repeated := headers.repeated_credentials():
        raise RepeatedCredentials(f"The header {repeated[0]} was sent more than once.")
    bare = profile.bare_key(headers)
    key = api_keys.find(bare) if 0 < len(bare) <= LONGEST_KEY else None
    if key is None:
        raise NotAuthenticated("Missing or invalid API key.")
    actor = credentials.actor_of(key, channel=profile.name, address=address)
    profile.verify(headers, key)
    last_used.note_key(key)
    last_used.note_member(actor.membership)
    return Caller(actor=actor, key=key)


def check_host(headers: Headers) -> None:
    """Raise InvalidInput unless the Host header is one of ALLOWED_HOSTS."""
    host, _ = split_domain_port(headers.get("host"))
    if not host or not validate_host(host, settings.ALLOWED_HOSTS):
        raise InvalidInput("This portal does not serve that host name.")


def client_address(scope: Scope) -> str | None:
    """The client's IP address; None if the server does not know it."""
    return scope["client"][0] if scope.get("client") else None


def sender_address(scope: Scope) -> str:
    """The sender's address, as it is counted for limits."""
    return addresses.counted(client_address(scope) or "")


def _limit_exceeded(allowance: Allowance, why: str) -> LimitExceeded:
    return LimitExceeded(
        f"{why} Try again in {allowance.retry_after} seconds.", retry_after=allowance.retry_after
    )


class _Response:
    """Sends the response: with rate limit headers, and errors in the API's envelope."""

    def __init__(self, send: Send, profile: Profile, method: str, body: Body) -> None:
        self.allowance: Allowance | None = None
        self._body = body
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
                error = _error_for(message["status"], self._method)
                await self._send_error(error, message["status"], _kept(headers))
                return
            # Public responses may set their own Cache-Control.
            added = [*self._extra_headers(), *(_UNBUFFERED if self._is_stream else [])]
            extra = [(name, value) for name, value in added if name not in headers]
            message = {**message, "headers": [*message["headers"], *extra]}
        await self._send(message)

    async def end(self, scope: Scope, error: EditorError) -> None:
        """Respond with an error and discard whatever else the app sends."""
        if not self._started:
            await self.refuse(error)
        elif self._is_stream:
            content = self._profile.last_event(scope, error)
            await self._send({"type": "http.response.body", "body": content, "more_body": False})
        self._replaced = True

    async def refuse(self, error: EditorError) -> None:
        """Respond with an error, unless the response has started."""
        if self._started:
            log.warning("a response was cut off: %s", error.message)
            return
        self._started = True
        closes = error.status in (408, 413)
        headers = [(b"connection", b"close")] if closes else []
        if isinstance(error, NotAuthenticated):
            headers.append((b"www-authenticate", b"Bearer"))
        headers += retry_after.raw_headers(error)
        await self._send_error(error, self._profile.status(error), headers, more=closes)
        if closes:
            await self._body.discard()
            await self._send({"type": "http.response.body", "body": b""})

    async def _send_error(
        self, error: EditorError, status: int, headers: list[tuple[bytes, bytes]], *, more: bool = False
    ) -> None:
        content = self._profile.envelope(status, error)
        start = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            *headers,
            *self._extra_headers(),
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": start})
        shown = b"" if self._method == "HEAD" else content
        await self._send({"type": "http.response.body", "body": shown, "more_body": more})

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


def _error_for(status: int, method: str) -> EditorError:
    """The error for a response of Django itself."""
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
