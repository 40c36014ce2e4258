"""The allowed destinations of outgoing requests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from editor.net import policy
from editor.net.policy import Forbidden, check_address, check_url, trusts


@pytest.fixture(autouse=True)
def nothing_exempt() -> Iterator[None]:
    policy.allow([])
    yield
    policy.allow([])


PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "2606:4700:4700::1111",
    "2a00:1450:4001:82a::200e",
    "::ffff:8.8.8.8",
]
NOT_PUBLIC = {
    "this network": ["0.0.0.0", "0.1.2.3", "::"],
    "this machine": ["127.0.0.1", "127.255.255.254", "::1"],
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "carrier's translation": ["100.64.0.1", "100.127.255.255"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "fec0::1"],
    "with a zone": ["2606:4700:4700::1111%eth0", "2606:4700:4700::1111%25eth0", "::ffff:8.8.8.8%1"],
    "cloud metadata": ["169.254.169.254", "fd00:ec2::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"],
    "multicast": ["224.0.0.1", "239.255.255.255", "ff02::1"],
    "broadcast and reserved": ["255.255.255.255", "240.0.0.1"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "protocol assignments": ["192.0.0.1", "192.0.0.170", "192.0.0.255", "192.88.99.1"],
    "measurement": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "IPv4 within IPv6": ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b::8.8.8.8", "64:ff9b:1::1"],
    "6to4 and Teredo": ["2002:7f00:1::", "2002:808:808::1", "2001:0:7f00:1::1"],
    "discard, segment routing": ["100::1", "5f00::1"],
    "no address": ["", "example.com", "127.1", "1.2.3.4.5", "0x7f.0.0.1"],
}
FORBIDDEN = [address for addresses in NOT_PUBLIC.values() for address in addresses]


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_allowed(address: str):
    check_address("example.com", address)
    check_url(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize("address", FORBIDDEN)
def test_a_name_must_not_resolve_to_any_other_address(address: str):
    with pytest.raises(Forbidden):
        check_address("example.com", address)


@pytest.mark.parametrize("address", [address for address in FORBIDDEN if address != "example.com"])
def test_a_url_must_not_contain_any_other_address(address: str):
    with pytest.raises(Forbidden):
        check_url(f"https://[{address}]/" if ":" in address else f"https://{address}/")


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0",
        "127.1",
        "127.0.1",
        "0x7f000001",
        "0x7f.0.0.1",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "8.8.8.8.",
        "127.0.0.0x1",
        "example.0x7f",
        "8.8",
        "1.2.3.4.5",
        "999.1.1.1",
        "٨.٨.٨.٨",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "127.0.0.%31",
        "1.1.1.1%.example.com",
    ],
)
def test_other_notations_of_addresses_are_refused(host: str):
    with pytest.raises(Forbidden):
        check_url(f"https://{host}/")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://example.com:443/a?b=c#d",
        "HTTPS://EXAMPLE.COM/",
        "https://example.com./",
        "https://xn--bcher-kva.example/",
        "https://delivery-eu1.bfl.ai/results/x.png?sig=a%2Fb",
        "https://1password.example/",
        "https://0x7f.example/",
        "https://a_b.example/",
        "https://localhost/",  # depends on its address
    ],
)
def test_names_are_allowed(url: str):
    check_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "https:example.com",
        "https:///path",
        "https://",
        "https://?x",
        "http://example.com/",
        "http://example.com:443/",
        "https://example.com:8443/",
        "https://example.com:80/",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:port/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "ws://example.com/",
        "javascript:alert(1)",
        "data:image/png;base64,AAAA",
        "https://user@example.com/",
        "https://user:password@example.com/",
        "https://@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://127.0.0.1\\.example.com/",
        "https://[::1",
        "https://[example.com]/",
        "https://exa mple.com/",
        "https://example.com%00.example.net/",
    ],
)
def test_all_but_plain_https_urls_are_refused(url: str):
    with pytest.raises(Forbidden):
        check_url(url)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "printer.local",
        "metadata.google.internal",
        "Metadata.Google.Internal.",
        "router.home.arpa",
    ],
)
def test_a_private_network_name_may_only_resolve_to_exempt_addresses(host: str):
    policy.allow(["10.0.0.0/8"])

    check_address(host, "10.0.0.1")
    for address in ("8.8.8.8", "2606:4700:4700::1111", "192.168.0.1"):
        with pytest.raises(Forbidden):
            check_address(host, address)


@pytest.mark.parametrize("host", ["mylocalhost", "local.example", "internal.example.com", "notlocal"])
def test_a_name_that_only_resembles_one_is_checked_by_its_address(host: str):
    check_address(host, "8.8.8.8")


def test_an_exempt_network_is_allowed_over_http_on_any_port():
    policy.allow(["10.1.0.0/16", "fd00::/8", "192.168.1.5"])

    for url in (
        "http://10.1.2.3:9000/",
        "https://[fd00::1]:8443/",
        "http://192.168.1.5/",
        "https://10.1.0.1/",
    ):
        check_url(url)
    check_address("gpu.example", "10.1.2.3")
    check_address("gpu.example", "::ffff:10.1.2.3")
    for url in ("http://10.2.0.1/", "http://192.168.1.6/", "http://8.8.8.8/", "http://gpu.example:9000/"):
        with pytest.raises(Forbidden):
            check_url(url)


def test_an_exempt_host_is_allowed_over_http_on_any_port_with_any_address():
    policy.allow([" GPU.internal ", ""])

    check_url("http://gpu.internal:9000/v1")
    check_url("http://GPU.INTERNAL/")
    check_address("Gpu.Internal", "10.0.0.1")
    check_address("gpu.internal", "fe80::1%eth0")
    for url in ("http://other.internal/", "http://a.gpu.internal/", "http://gpu.internal.example/"):
        with pytest.raises(Forbidden):
            check_url(url)
    with pytest.raises(Forbidden):
        check_address("other.internal", "10.0.0.1")


def test_a_url_of_an_exempt_host_must_still_be_plain():
    policy.allow(["gpu.internal", "127.0.0.0/8"])

    for url in ("ftp://gpu.internal/", "http://user@gpu.internal/", "http://127.1/", "http://2130706433/"):
        with pytest.raises(Forbidden):
            check_url(url)


@pytest.mark.parametrize("entry", ["10.0.0.1/8", "10.0.0.0/33", "example.com/x", "::1/129"])
def test_a_bad_network_is_reported(entry: str):
    with pytest.raises(ValueError, match=r"host bits|does not appear"):
        policy.allow([entry])


def test_each_list_replaces_the_previous_one():
    policy.allow(["gpu.internal"])
    policy.allow(["127.0.0.1"])

    with pytest.raises(Forbidden):
        check_url("http://gpu.internal/")


@pytest.mark.parametrize(
    ("base", "url", "trusted"),
    [
        ("https://api.bfl.ai", "https://api.bfl.ai/v1/get_result?id=1", True),
        ("https://api.bfl.ai", "https://API.BFL.AI:443/v1", True),
        ("https://api.bfl.ai", "https://api.eu2.bfl.ai/v1", True),
        ("https://api.us1.bfl.ai", "https://bfl.ai/v1", True),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/v1", True),
        ("http://gpu:9000", "http://gpu:9000/v1", True),
        ("https://api.bfl.ai", "http://api.bfl.ai/v1", False),
        ("https://api.bfl.ai", "http://api.eu2.bfl.ai/v1", False),
        ("https://api.bfl.ai", "https://api.eu2.bfl.ai:8443/v1", False),
        ("https://api.bfl.ai", "https://evilbfl.ai/v1", False),
        ("https://api.bfl.ai", "https://bfl.ai.example/v1", False),
        ("https://api.bfl.ai", "https://example.com/.bfl.ai", False),
        ("https://api.bfl.ai", "https://example.com?.bfl.ai", False),
        ("https://api.bfl.ai", "https://api.bfl.ai@example.com/", False),
        ("https://api.bfl.ai", "//api.bfl.ai/v1", False),
        ("https://api.bfl.ai", "https://[::1", False),
        ("https://api.bfl.ai", "", False),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9001/v1", False),
        ("http://127.0.0.1:9000", "http://localhost:9000/v1", False),
        ("http://127.0.0.1:9000", "https://api.bfl.ai/v1", False),
        ("https://gpu.example", "https://api.bfl.ai/v1", False),
    ],
)
def test_a_key_is_sent_only_to_its_own_origin_or_the_providers_own_hosts(base: str, url: str, trusted: bool):
    assert trusts(base, url, domain="bfl.ai") is trusted
