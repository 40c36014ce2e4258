"""Who counts as one client."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address, ip_network


def counted(address: str) -> str:
    """The address itself, or the /64 network that one IPv6 customer has.

    A socket for both families writes IPv4 addresses as IPv6 ones, which are no neighbours.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        return str(parsed.ipv4_mapped or ip_network((parsed, 64), strict=False))
    return str(parsed)
