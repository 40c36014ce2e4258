"""Where requests to the outside may go: https, to public addresses, and what the operator exempts.

`OUTBOUND_ALLOW` names hosts or networks (CIDR) that are exempt, for providers of your own and
for tests: http, private addresses and any port are fine there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from editor.errors import EditorError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_GLOBAL_V6 = ipaddress.IPv6Network("2000::/3")
# Within 2000::/3, but tunnels to IPv4 addresses, documentation and protocol assignments.
_SPECIAL_V6 = tuple(
    ipaddress.IPv6Network(network) for network in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


class Forbidden(EditorError):
    """The portal does not send requests there."""

    code = "forbidden_address"
    status = 400


@dataclass(slots=True)
class _Allowed:
    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()


_allowed = _Allowed()


def allow(entries: Iterable[str]) -> None:
    """Exempt these hosts and networks, and no others, from now on. Raises ValueError for a bad network."""
    hosts, networks = set(), []
    for entry in (entry.strip().lower() for entry in entries):
        if "/" in entry or _address(entry) is not None:
            networks.append(ipaddress.ip_network(entry.strip("[]")))
        elif entry:
            hosts.add(entry)
    _allowed.hosts, _allowed.networks = frozenset(hosts), tuple(networks)


def check_url(url: str) -> None:
    """Raise Forbidden for a URL that must not be asked, as far as its text shows.

    A host name is judged again by the addresses it stands for: see `check_address`.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise Forbidden("This is not a web address.") from None
    if not host or parts.scheme not in ("http", "https") or parts.username is not None:
        raise Forbidden("This is not a web address that the portal opens.")
    address = _address(host)
    if host in _allowed.hosts or (address is not None and _is_exempt(address)):
        return
    if parts.scheme != "https" or port not in (None, 443):
        raise Forbidden("The portal opens only https addresses on the usual port.")
    if address is not None:
        check_address(host, host)


def check_address(host: str, address: str) -> None:
    """Raise Forbidden unless `address`, which `host` stands for, is public or exempt."""
    parsed = _address(address)
    if host.lower() in _allowed.hosts or (parsed is not None and _is_exempt(parsed)):
        return
    if parsed is None or not _is_public(parsed):
        raise Forbidden("The portal does not open addresses of private networks.")


def _address(text: str) -> Address | None:
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def _is_exempt(address: Address) -> bool:
    return any(address in network for network in _allowed.networks)


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast
    return address in _GLOBAL_V6 and not any(address in network for network in _SPECIAL_V6)
