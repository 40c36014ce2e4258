"""Host names and public addresses in settings, in the form in which requests carry them.

Browsers send names in lower case and in ASCII ("xn--bcher-kva.example"), IPv6 addresses in brackets and
shortened, and leave out the default port.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

import idna
from django.http.request import validate_host

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_EVERY_ADDRESS = {"0.0.0.0": ("localhost", "127.0.0.1"), "[::]": ("[::1]", "localhost")}  # noqa: S104


def host(text: str) -> str:
    """A host name or address as it stands in a Host header. Raises ValueError with the reason."""
    bare = text.strip().lower()
    address = _address(bare.removeprefix("[").removesuffix("]"))
    if isinstance(address, IPv6Address) and not address.scope_id:
        return f"[{address.compressed}]"
    if isinstance(address, IPv4Address) and not bare.startswith("["):
        return str(address)
    try:
        name = bare if bare.isascii() else idna.encode(bare, uts46=True).decode()
    except UnicodeError as error:
        raise ValueError(f"“{text}” is not a host name: {error}") from None
    name = name.removesuffix(".")
    if not _NAME.fullmatch(name) or name.rpartition(".")[2].isdecimal():
        raise ValueError(f"“{text}” is not a host name or an IP address")
    return name


def allowed_host(text: str) -> str:
    """An entry of ALLOWED_HOSTS: a host, "*", or ".example.com" for a domain with its subdomains.

    Raises ValueError with the reason.
    """
    entry = text.strip()
    if entry == "*":
        return entry
    if "/" in entry or re.fullmatch(r"(\[.*\]|[^:]*):\d*", entry):
        raise ValueError(f"“{entry}” must be a host alone, without scheme, port and path")
    if entry.startswith("*."):
        raise ValueError(f"“{entry}” must be written “{entry[1:]}”, for a domain and its subdomains")
    return f".{host(entry[1:])}" if entry.startswith(".") else host(entry)


def base_url(text: str) -> str:
    """The public URL of the portal: scheme, host and, unless it is the default one, port.

    Raises ValueError with the reason.
    """
    try:
        parts = urlsplit(text.strip())
        name, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ValueError(f"“{text}” is not a URL: {error}") from None
    if parts.scheme not in _PORTS:
        raise ValueError(f"“{text}” must begin with https:// or http://")
    if parts.username is not None:
        raise ValueError("the URL must not contain a user name or password")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError(
            f"“{text}” has more than a host: the portal cannot be served below a path. Give it a host name "
            "of its own"
        )
    if port == 0 or not name:
        raise ValueError(f"“{text}” has no {'host' if not name else 'valid port'}")
    shown = host(name)
    netloc = shown if port in (None, _PORTS[parts.scheme]) else f"{shown}:{port}"
    return f"{parts.scheme}://{netloc}"


def mail_domain(name: str) -> str:
    """The part of a mail address behind the @: a name, or an address literal (RFC 5321, section 4.1.3)."""
    address = _address(name.strip("[]"))
    if isinstance(address, IPv6Address):
        return f"[IPv6:{address.compressed}]"
    return f"[{address}]" if address else name


def opened_at(*, listening: str, port: int, allowed: Sequence[str]) -> str:
    """A URL that the portal serves when it listens there: with a host that it accepts, if there is one.

    listening  a host name or address, perhaps one that stands for all of the machine's
    allowed    as in ALLOWED_HOSTS
    """
    own = host(listening)
    names = _EVERY_ADDRESS.get(own, (own,))
    accepted = [name for name in names if validate_host(name, allowed)]
    exact = [name for name in allowed if not name.startswith(("*", "."))]
    name = [*accepted, *exact, *names][0]
    return f"http://{name}/" if port == _PORTS["http"] else f"http://{name}:{port}/"


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None
