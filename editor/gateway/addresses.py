"""Which addresses count as one client."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def counted(address: str) -> str:
    """The address itself, or its /64 network for IPv6, which is what one customer has.

    A dual-stack socket reports IPv4 addresses as IPv4-mapped IPv6 ones, which do not share a network.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)


def plain(address: str) -> str:
    """The address; an IPv4-mapped IPv6 one as IPv4."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or parsed) if isinstance(parsed, IPv6Address) else str(parsed)
