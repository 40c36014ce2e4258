"""What views behind a gate ask of their request."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.http import HttpRequest

from editor.gateway.profile import Caller


def caller(request: HttpRequest) -> Caller:
    """Who calls, as the gate left it."""
    return cast(Caller, request.scope["caller"])  # type: ignore[attr-defined]


def origin(request: HttpRequest) -> str:
    """Scheme and host under which this portal is known: what its links begin with."""
    return settings.BASE_URL or f"{request.scheme}://{request.get_host()}"


def whole_body(request: HttpRequest) -> bytes:
    """The request's body, however large, and each time anew: it lies on disk. Not for the event loop."""
    request._stream.seek(0)
    return request.read()


def forget_body(request: HttpRequest) -> None:
    """Free what the request's body takes, up to 5 MiB of memory and the rest on disk.

    Django keeps it until the answer has gone out, which for a held call is a long time.
    """
    request._stream.close()
