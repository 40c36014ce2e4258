"""The origin of links in mails."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from editor.errors import Unprocessable

DEFAULT_PORTS = {("http", "80"), ("https", "443")}


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
