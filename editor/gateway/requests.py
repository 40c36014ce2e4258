"""Helpers for views behind the gateway middleware."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from editor.gateway.profile import Caller

View = Callable[..., Coroutine[Any, Any, HttpResponseBase]]


def caller(request: HttpRequest) -> Caller:
    """The caller, as set by the gateway middleware."""
    return cast(Caller, request.scope["caller"])  # type: ignore[attr-defined]


def needs(scope: str) -> Callable[[View], View]:
    """Decorate a view: the caller's key needs this scope, and its holder the scope's permission.

    Raises PermissionDenied before the body is read.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        async def checked(request: HttpRequest, **named: Any) -> HttpResponseBase:
            caller(request).require(scope)
            return await view(request, **named)

        checked.scope = scope  # type: ignore[attr-defined]
        return checked

    return decorate


def origin(request: HttpRequest) -> str:
    """Scheme and host of this portal's links."""
    return settings.BASE_URL or f"{request.scheme}://{request.get_host()}"


def whole_body(request: HttpRequest) -> bytes:
    """The request's body, however large; read from disk each time. Not for the event loop."""
    request._stream.seek(0)
    return request.read()


def forget_body(request: HttpRequest) -> None:
    """Free the request's body: up to 5 MiB of memory, and the rest on disk.

    Django keeps it until the response is sent, which for a held call is a long time.
    """
    request._stream.close()
