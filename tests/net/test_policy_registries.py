"""The classification of public addresses, compared with IANA's registries of special-purpose addresses.

The registries are copied here by hand and compared as numbers, so that the test shares nothing with the
tested code except `inet_pton`.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from editor.net import policy
from editor.net.policy import Forbidden, check_address, check_url


@pytest.fixture(autouse=True, scope="module")
def nothing_exempt() -> Iterator[None]:
    policy.allow([])
    yield
    policy.allow([])


# https://www.iana.org/assignments/iana-ipv4-special-registry, without networks inside another entry.
REFUSED_V4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private use",
    "100.64.0.0/10": "shared address space",
    "127.0.0.0/8": "loopback",
    "168.63.129.16/32": "not IANA's: Azure's",
    "169.254.0.0/16": "link local",
    "172.16.0.0/12": "private use",
    "192.0.0.0/24": "protocol assignments; .9 and .10 are reachable, but no servers of pictures",
    "192.0.2.0/24": "documentation",
    "192.88.99.0/24": "6to4 relays, deprecated",
    "192.168.0.0/16": "private use",
    "198.18.0.0/15": "benchmarking",
    "198.51.100.0/24": "documentation",
    "203.0.113.0/24": "documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved, and limited broadcast",
}
# https://www.iana.org/assignments/iana-ipv6-special-registry; nothing outside 2000::/3 is allocated.
REFUSED_V6 = {
    "::/3": "no global unicast: loopback, unspecified, mapped, NAT64, discard-only and much unassigned",
    "2001::/23": "protocol assignments: Teredo, benchmarking, ORCHID and others",
    "2001:db8::/32": "documentation",
    "2002::/16": "6to4",
    "3fff::/20": "documentation",
    "4000::/2": "no global unicast: segment routing's SIDs and much unassigned",
    "8000::/1": "no global unicast: unique-local, link-local, site-local, multicast and much unassigned",
}
# Special there, but globally reachable.
REACHABLE_V4 = ["192.31.196.0/24", "192.52.193.0/24", "192.175.48.0/24"]
REACHABLE_V6 = ["2000::/3", "2620:4f:8000::/48"]
# Special, and inside entries of REFUSED_V6: their edges are tested too.
WITHIN_V6 = [
    "::/128",
    "::1/128",
    "::ffff:0:0/96",
    "64:ff9b::/96",
    "64:ff9b:1::/48",
    "100::/64",
    "100:0:0:1::/64",
    "2001::/32",
    "2001:1::1/128",
    "2001:2::/48",
    "2001:3::/32",
    "2001:4:112::/48",
    "2001:10::/28",
    "2001:20::/28",
    "2001:30::/28",
    "5f00::/16",
    "fc00::/7",
    "fe80::/10",
    "fec0::/10",
    "ff00::/8",
]
MAPPED = 0xFFFF << 32  # ::ffff:0:0/96


def ends(network: str) -> tuple[int, int]:
    """The first and the last address."""
    text, _, length = network.partition("/")
    packed = socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    first = int.from_bytes(packed)
    return first, first + 2 ** (len(packed) * 8 - int(length)) - 1


V4 = [ends(network) for network in REFUSED_V4]
V6 = [ends(network) for network in REFUSED_V6]


def is_public_v4(number: int) -> bool:
    return not any(first <= number <= last for first, last in V4)


def is_public_v6(number: int) -> bool:
    if MAPPED <= number < MAPPED + 2**32:  # another notation of an IPv4 address
        return is_public_v4(number - MAPPED)
    return not any(first <= number <= last for first, last in V6)


def numbers(bits: int, networks: list[tuple[int, int]]) -> st.SearchStrategy[int]:
    """Any address, often one inside a network, at its edge or next to it."""
    highest = 2**bits - 1
    edges = {place for first, last in networks for place in (first - 1, first, last, last + 1)}
    return st.one_of(
        st.integers(0, highest),
        st.sampled_from(sorted(edge for edge in edges if 0 <= edge <= highest)),
        st.sampled_from(networks).flatmap(lambda network: st.integers(*network)),
    )


def is_allowed(address: str) -> bool:
    """The result, which is the same for a name that resolves to it and for a URL that contains it."""
    verdicts = []
    for ask in (
        lambda: check_address("example.com", address),
        lambda: check_url(f"https://[{address}]/" if ":" in address else f"https://{address}/"),
    ):
        try:
            ask()
            verdicts.append(True)
        except Forbidden:
            verdicts.append(False)
    assert verdicts[0] == verdicts[1]
    return verdicts[0]


@given(numbers(32, [*V4, *map(ends, REACHABLE_V4)]))
def test_ipv4_is_public_unless_listed_in_the_registry(number: int):
    address = socket.inet_ntop(socket.AF_INET, number.to_bytes(4))

    assert is_allowed(address) is is_public_v4(number)


@given(numbers(128, [*V6, *map(ends, REACHABLE_V6 + WITHIN_V6)]))
@example(MAPPED + 0x08080808)
@example(MAPPED + 0x7F000001)
def test_ipv6_is_public_unless_listed_in_the_registry(number: int):
    address = socket.inet_ntop(socket.AF_INET6, number.to_bytes(16))

    assert is_allowed(address) is is_public_v6(number)


@given(numbers(32, V4), st.sampled_from(["64:ff9b::", "64:ff9b:1::", "::", "2002::"]))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_public(number: int, prefix: str):
    """NAT64 in both its forms, IPv4-compatible, and 6to4, whose IPv4 address comes second."""
    base = ends(f"{prefix}/128")[0]
    whole = base + (number << 80 if prefix == "2002::" else number)

    assert not is_allowed(socket.inet_ntop(socket.AF_INET6, whole.to_bytes(16)))
