"""Middleware for every view: error pages, the viewer's time zone, compression, caching."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

from allauth.usersessions.models import UserSession
from django.contrib.auth.views import redirect_to_login
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.urls import resolve
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.crypto import salted_hmac

from editor.access.actor import client_address
from editor.concurrency import threads
from editor.errors import EditorError, InvalidInput, NotAuthenticated, WorkspaceMoved
from editor.web.gateway import Forged
from editor.web.htmx import error_response
from editor.web.views.errors import csrf_failure

log = logging.getLogger("editor.web")

HEALTH = ("/healthz", "/readyz")
SEEN_SECONDS = 300
INVALID_VALUE = "The request contains an invalid value."


class EditorErrorMiddleware:
    """Renders an EditorError from a view or the gateway middleware, with its message and status.

    A value that passed the form but not a field or the database, such as NUL or a number that is too large,
    is a bad request too: it gets 400 and one line in the log.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        refusal: EditorError | None = getattr(request, "scope", {}).get("refusal")
        if isinstance(refusal, NotAuthenticated):
            return redirect_to_login(request.get_full_path())
        if isinstance(refusal, Forged):
            return csrf_failure(request, refusal.reason)
        if isinstance(refusal, WorkspaceMoved):
            return _to_current_address(request, refusal)
        return error_response(request, refusal) if refusal else self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, WorkspaceMoved):
            return _to_current_address(request, exception)
        if isinstance(exception, EditorError):
            return error_response(request, exception)
        if isinstance(exception, ValidationError | DataError):
            log.warning("%s %s was refused: %.200r", request.method, request.path, exception)
            return error_response(request, InvalidInput(INVALID_VALUE))
        return None


def _to_current_address(request: HttpRequest, moved: WorkspaceMoved) -> HttpResponse:
    """Redirect to the same page at the workspace's current address. A form is sent again, as it was."""
    _, _, rest = request.get_full_path().removeprefix("/w/").partition("/")
    status = 301 if request.method in ("GET", "HEAD") else 308
    return HttpResponse(status=status, headers={"Location": f"/w/{moved.slug}/{rest}"})


class ReleasedConnectionMiddleware:
    """Releases the database connection before the response is sent: the client may be slow."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            return self.get_response(request)
        finally:
            threads.release()


class ClientAddressMiddleware:
    """Sets the address that the audit log records for what a request changes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        token = client_address.set(request.META.get("REMOTE_ADDR"))
        try:
            return self.get_response(request)
        finally:
            client_address.reset(token)


class HealthMiddleware:
    """Serves the health checks whatever the Host header: load balancers send an address of their own choice.

    Stands before the middleware that refuses other hosts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method == "GET" and request.path_info in HEALTH:
            response: HttpResponseBase = resolve(request.path_info).func(request)
            return response
        return self.get_response(request)


class PrivateAnswersMiddleware:
    """Forbids caches to store a response, unless its view sets Cache-Control, as those of files do.

    Pages vary with the user, and with whether htmx requested a fragment.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-store"
        if response.get("Content-Type", "").startswith("text/html"):
            patch_vary_headers(response, ("Cookie", "HX-Request", "HX-Request-Type"))
        return response


class CompressedPagesMiddleware(GZipMiddleware):
    """Compresses pages and fragments, with random bytes against guessing their content from the length.

    Images are already compressed, and a streamed zip must not be buffered.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)


class SessionActivityMiddleware:
    """Remembers when and from where a session was last used, at most once in SEEN_SECONDS.

    Requests that do not look at their session, as those for files by signed links, do not count.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        key = request.session.session_key
        seen = request.session.accessed and request.user.is_authenticated
        if seen and key and cache.add(seen_key(key), True, SEEN_SECONDS):
            UserSession.objects.create_from_request(request)
        return response


class TimeZoneMiddleware:
    """Times are shown in the zone that the viewer chose on the account page, or else in the browser's.

    Both are cookies, the latter set by app.js; until then in UTC.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        cookies = request.COOKIES
        with timezone.override(_zone(cookies.get("zone") or cookies.get("tz", ""))):
            return self.get_response(request)


def seen_key(session_key: str) -> str:
    """A key of the cache that does not contain the session's own."""
    return f"seen:{salted_hmac('seen', session_key).hexdigest()}"


def _zone(name: str) -> tzinfo:
    """The time zone of that name; UTC for any other value of the cookie."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return UTC
