"""Where outbound requests may go: https to public addresses, and the operator's exemptions.

`OUTBOUND_ALLOW` lists exempt hosts or networks (CIDR), for your own providers and for tests:
http, private addresses and any port are allowed there.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

from editor.errors import EditorError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"[a-z0-9_.-]+")
# Names of this machine and of private networks: public name servers do not resolve them.
_PRIVATE_NAMES = (".localhost", ".local", ".internal", ".home.arpa")
# Protocol assignments, including some clouds' metadata, and 6to4 relays: public in older Pythons.
# The last is Azure's: a public address by which its machines reach their own host.
_SPECIAL_V4 = tuple(
    ipaddress.IPv4Network(network) for network in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32")
)
_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# Within 2000::/3, but tunnels to IPv4 addresses, documentation and protocol assignments.
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class Forbidden(EditorError):
    """The portal must not send requests there."""

    code = "forbidden_address"
    status = 400


@dataclass(slots=True)
class _Allowed:
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


_allowed = _Allowed()


def allow(entries: Iterable[str]) -> None:
    """Replace the exemptions with these hosts and networks.

    Raises ValueError with one argument for each invalid entry; nothing is exempt then.
    """
    hosts, networks, problems = set(), [], []
    for entry in (entry.strip().lower() for entry in entries):
        try:
            if "/" in entry or _address(entry) is not None:
                networks.append(ipaddress.ip_network(entry.strip("[]")))
            elif entry:
                hosts.add(_host(entry))
        except ValueError as error:
            problems.append(f"“{entry}”: {error}")
    if problems:
        raise ValueError(*problems)
    _allowed.hosts, _allowed.networks = frozenset(hosts), tuple(networks)


def check_url(url: str) -> None:
    """Raise Forbidden for a URL that is not allowed, as far as its text shows.

    The addresses of a host name are checked separately: see `check_address`.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Forbidden("This is not a valid URL.") from None
    address = _address(host)
    if parts.scheme not in ("http", "https") or parts.username is not None or not _is_plain(host, address):
        raise Forbidden("This is not a URL that the portal can open.")
    if host in _allowed.hosts or (address is not None and _is_exempt(address)):
        return
    if parts.scheme != "https" or port not in (None, 443):
        raise Forbidden("Only https URLs on port 443 are allowed.")
    if address is not None:
        check_address(host, host)


def check_address(host: str, address: str) -> None:
    """Raise Forbidden unless `address`, to which `host` resolves, is public or exempt.

    Names of private networks are allowed only with exempt addresses.
    """
    parsed = _address(address)
    if host.lower() in _allowed.hosts or (parsed is not None and _is_exempt(parsed)):
        return
    if parsed is None or not _is_public(parsed) or _is_private(host):
        raise Forbidden("Addresses in private networks are not allowed.")


def trusts(base_url: str, url: str, *, domain: str) -> bool:
    """Whether a key for `base_url` may also be sent to `url`, which the provider returned.

    Only to the same origin; for the provider's own service also to other https hosts of its `domain`.
    """
    try:
        base, other = _origin(base_url), _origin(url)
    except ValueError:
        return False
    return base == other or (_is_on(base, domain) and _is_on(other, domain))


def _host(text: str) -> str:
    """A host name as URLs have it, an international one in ASCII. Raises ValueError."""
    name = text if text.isascii() else idna.encode(text, uts46=True).decode()
    if not _is_plain(name, None):
        raise ValueError("a host stands alone, without scheme, port and wildcard")
    return name


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port. Raises ValueError."""
    parts = urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or _PORTS.get(parts.scheme)


def _is_on(origin: tuple[str, str, int | None], domain: str) -> bool:
    scheme, host, port = origin
    return scheme == "https" and port == _PORTS[scheme] and f".{host}".endswith(f".{domain}")


def _is_plain(host: str, address: Address | None) -> bool:
    """Whether the host is an unambiguous name or address.

    Numbers are addresses in old spellings: 127.1, 2130706433, 0x7f.1 or 127.0.0.1 with a trailing
    dot. They would be requested without a check of their address.
    """
    if address is not None:
        return True
    last = host.rstrip(".").rpartition(".")[2]
    return bool(_NAME.fullmatch(host)) and not last.isdecimal() and not last.startswith("0x")


def _is_private(host: str) -> bool:
    """Whether only this machine or its own network knows the name."""
    return f".{host.lower().rstrip('.')}".endswith(_PRIVATE_NAMES)


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped and not address.scope_id:
        return address.ipv4_mapped
    return address


def _is_exempt(address: Address) -> bool:
    return any(address in network for network in _allowed.networks)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        special = address.is_multicast or any(address in network for network in _SPECIAL_V4)
        return address.is_global and not special
    # A zone, as in %eth0, is an interface of this machine: public addresses have none.
    special = bool(address.scope_id) or any(address in network for network in _SPECIAL_V6)
    return address in _GLOBAL_V6 and not special
