"""Who counts as one client."""

from __future__ import annotations

import ipaddress


def counted(address: str) -> str:
    """The address itself, or the network that one IPv6 customer has."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
