"""What views of pages and APIs read from a request."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase

from editor.errors import Unprocessable
from editor.gateway.profile import Caller

DEFAULT_PORTS = {("http", "80"), ("https", "443")}
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


def mail_origin(request: HttpRequest) -> str:
    """BASE_URL if set, else a name from ALLOWED_HOSTS and the port of the connection.

    The rest of the `Host` header is ignored: anybody can request a mail to somebody else. Raises
    Unprocessable if the name only matches a pattern: it could be anybody's.
    """
    if settings.BASE_URL:
        return str(settings.BASE_URL)
    name = split_domain_port(request.get_host())[0].rstrip(".")
    if name not in {host.lower() for host in settings.ALLOWED_HOSTS}:
        raise Unprocessable("This portal cannot send links by email until an operator sets BASE_URL.")
    scheme, port = request.scheme or "http", str(request.META["SERVER_PORT"])
    return f"{scheme}://{name}" if (scheme, port) in DEFAULT_PORTS else f"{scheme}://{name}:{port}"


def whole_body(request: HttpRequest) -> bytes:
    """The request's body, however large; read from disk each time. Not for the event loop."""
    request._stream.seek(0)
    return request.read()


def forget_body(request: HttpRequest) -> None:
    """Free the request's body: up to 5 MiB of memory, and the rest on disk.

    Django keeps it until the response is sent, which for a held call is a long time.
    """
    request._stream.close()
