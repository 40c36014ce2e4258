"""Helpers for views behind the gateway middleware."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpRequest

from editor.gateway.profile import Caller


def caller(request: HttpRequest) -> Caller:
    """The caller, as set by the gateway middleware."""
    return cast(Caller, request.scope["caller"])  # type: ignore[attr-defined]


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
