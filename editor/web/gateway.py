"""Gateway middleware of the pages: authenticates, authorizes and limits requests before their body is read.

Django responds to a refused request, without its body, with a page or a fragment: `scope["refusal"]` is the
error that EditorErrorMiddleware shows.
"""

from __future__ import annotations

import logging
import re
import traceback
from contextlib import AsyncExitStack
from io import BytesIO

from django.contrib.auth import get_user
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import REASON_BAD_ORIGIN, CsrfViewMiddleware

from editor import disk
from editor.access import lookups
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.errors import DiskFull, EditorError, InvalidInput, NotAuthenticated, PermissionDenied
from editor.gateway.asgi import App, Message, Receive, Scope, Send
from editor.gateway.body import (
    Body,
    BodySlots,
    Busy,
    TooLarge,
    announced,
    pass_on,
    pass_on_without_body,
)
from editor.gateway.middleware import check_host, sender_address
from editor.gateway.profile import Headers
from editor.models import User
from editor.operations import storage

log = logging.getLogger("editor.gateway")

KIB, MIB = 1024, 1024 * 1024
FILES = re.compile(r"^/w/(?P<slug>[-\w]+)/(upload|run|settings/general/(?P<picture>picture))/$")
FILES_LIMIT = 26 * MIB  # an image, or a mask, of 25 MiB with the form around it
LIMIT = 2 * MIB  # of other forms, for signed-in users
STRANGERS_LIMIT = 64 * KIB
LARGE_AT_ONCE, LARGE_OF_ONE_PERSON = 12, 3
PEOPLE_AT_ONCE = 60  # large bodies that are received, or whose response is awaited
SMALL_AT_ONCE, SMALL_OF_ONE_ADDRESS = 256, 32


class Forged(PermissionDenied):
    """The headers show that another site sent this, or that its token is out of date.

    reason  one of Django's, see `django.middleware.csrf`
    """

    def __init__(self, reason: str) -> None:
        super().__init__("This form was not sent from a page of this portal, or is out of date.")
        self.reason = reason


class PageGateway:
    """ASGI: accepts a body only from an authorized sender, with limits on concurrency and time."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._people = BodySlots(most=PEOPLE_AT_ONCE, each=LARGE_OF_ONE_PERSON)
        self._slots = BodySlots(most=LARGE_AT_ONCE, each=LARGE_OF_ONE_PERSON)
        self._small = BodySlots(most=SMALL_AT_ONCE, each=SMALL_OF_ONE_ADDRESS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope)
        if not announced(headers):
            await self.app(scope, receive, send)
            return
        try:
            limit = FILES_LIMIT if FILES.match(scope["path"]) else LIMIT
            # Browsers always send a form's length. Without one, a body that may hold a file counts as large.
            if _length(headers, default=limit if limit == FILES_LIMIT else 0) > STRANGERS_LIMIT:
                await self._large_body(scope, headers, receive, send, limit=limit)
            else:
                await self._small_body(scope, headers, receive, send)
        except EditorError as error:
            await pass_on_without_body(self.app, {**scope, "refusal": error}, receive, send)

    async def _large_body(
        self, scope: Scope, headers: Headers, receive: Receive, send: Send, *, limit: int
    ) -> None:
        """Handle a body that only an authenticated and authorized user may send."""
        length = _length(headers, default=limit)
        if length > limit:
            raise _too_large(limit)
        check_host(headers)
        try:
            user = await in_thread(_sender, scope)
        except EditorError:
            raise
        except Exception:
            log.exception("could not check whether a request body is allowed")
            raise Busy("The portal cannot accept this right now. Try again shortly.", retry_after=5) from None
        body, sender = Body(receive, limit=limit), str(user.pk)
        # A person's own until the response is sent: for as long, Django keeps the body in a temporary file.
        # Everybody's only while it is received: images may take long to decode, and others can still send.
        async with self._people.slot(sender, body), AsyncExitStack() as place:
            await place.enter_async_context(self._slots.slot(sender, body))
            try:
                await pass_on(self.app, scope, body, send, on_complete=place.aclose)
            except Exception as error:
                if not disk.is_cause(error):
                    raise
                # Its frames keep the part of the body that is already on disk.
                traceback.clear_frames(error.__traceback__)
                raise DiskFull from None

    async def _small_body(self, scope: Scope, headers: Headers, receive: Receive, send: Send) -> None:
        """Handle a body from anybody. One that arrives in one piece, as nearly all do, needs no slot."""
        body = Body(receive, limit=STRANGERS_LIMIT)
        body.check_length(headers)
        first = await body.receive()
        if body.complete:
            await pass_on(self.app, scope, body, send, first=first)
            return
        async with self._small.slot(sender_address(scope), body):
            whole = await _rest(body, first)
        await pass_on(self.app, scope, body, send, first=whole)


async def _rest(body: Body, first: Message) -> Message:
    """All pieces as one message, or the disconnect message of the sender."""
    pieces = [first.get("body", b"")]
    message = first
    while not body.complete:
        message = await body.receive()
        pieces.append(message.get("body", b""))
    if message["type"] == "http.disconnect":
        return message
    return {**message, "body": b"".join(pieces)}


def _length(headers: Headers, *, default: int) -> int:
    """The declared length, or `default`. Raises TooLarge for one that is not in digits."""
    declared = headers.get("content-length")
    if not declared:
        return default
    if not declared.isdecimal():
        raise _too_large(LIMIT)
    return int(declared[:20])


def _too_large(limit: int) -> TooLarge:
    most = "images can be up to 25 MB" if limit == FILES_LIMIT else "a form can be up to 2 MB"
    return TooLarge(f"That is too large: {most}.")


def _sender(scope: Scope) -> User:
    """The sender of a large body. Raises an EditorError unless they are allowed to send it."""
    # Without a content type Django does not look for a CSRF token in the form.
    head = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    try:
        request = ASGIRequest({**scope, "headers": head}, BytesIO())
    except UnicodeDecodeError:
        raise InvalidInput("This URL is invalid.") from None
    SessionMiddleware(_unused).process_request(request)
    user = get_user(request)
    if not isinstance(user, User):
        if FILES.match(request.path_info) or request.path_info.startswith(("/w/", "/admin/")):
            raise NotAuthenticated("Sign in first.")
        raise TooLarge("That is too large. Sign in first, or send less.")
    if found := FILES.match(request.path_info):
        actor = lookups.actor(user, found["slug"])
        threads.tenant.set(str(actor.workspace.id))
        actor.require(Permission.WORKSPACE_MANAGE if found["picture"] else Permission.EDIT)
        storage.check(workspace=actor.workspace)
    _check_token(request)
    return user


class _TokenCheck(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        raise Forged(reason)


def _check_token(request: ASGIRequest) -> None:
    """Raise Forged if the headers alone show it. A token in the form is checked later."""
    check = _TokenCheck(_unused)
    if "X-CSRFToken" in request.headers:
        check.process_request(request)
        check.process_view(request, _unused, (), {})
    elif "Origin" in request.headers and not check._origin_verified(request):  # type: ignore[attr-defined]
        raise Forged(REASON_BAD_ORIGIN % request.headers["Origin"])


def _unused(request: object) -> HttpResponse:
    raise AssertionError("nothing is behind these middlewares")
