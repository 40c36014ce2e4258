"""Images are fetched from public addresses only, whatever the URL contains or the name resolves to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.net import policy
from editor.net.fetch import NotFetched, fetch
from tests.net.fetching import (
    HOST,
    NO_HTTPS,
    NO_URL,
    NOT_PLAIN,
    NOT_PUBLIC_HOST,
    OTHER,
    OTHER_PORT,
    PATIENT,
    PRIVATE,
    Authority,
    Names,
    at,
    here,
    refusal,
)
from tests.net.test_policy import NOT_PUBLIC
from tests.providers.hostile import answers, hostile

PICTURE = b"picture"
good = answers(PICTURE, content_type="image/png")

ADDRESSES = [
    pytest.param(address, id=f"{kind}: {address}")
    for kind, addresses in NOT_PUBLIC.items()
    for address in addresses
    if kind != "no address"
]


@pytest.fixture(autouse=True)
def nothing_exempt() -> Iterator[None]:
    policy.allow([])
    yield
    policy.allow([])


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server(HOST, OTHER, "127.0.0.1")


# --- URLs --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", NO_HTTPS),
        ("cat.png", NO_HTTPS),
        ("//pictures.example/cat.png", NO_HTTPS),
        ("http://pictures.example/cat.png", NO_HTTPS),
        ("ftp://pictures.example/cat.png", NO_HTTPS),
        ("file:///etc/passwd", NO_HTTPS),
        ("data:image/png;base64,AAAA", NO_HTTPS),
        ("javascript:alert(1)", NO_HTTPS),
        ("https:cat.png", NOT_PLAIN),
        ("https:///cat.png", NOT_PLAIN),
        ("https://", NOT_PLAIN),
        ("https://user@pictures.example/", NOT_PLAIN),
        ("https://user:password@pictures.example/", NOT_PLAIN),
        ("https://pictures.example@127.0.0.1/", NOT_PLAIN),
        ("https://pictures.example%00.other.example/", NOT_PLAIN),
        ("https://%31%32%37.0.0.1/", NOT_PLAIN),
        ("https://pictures.example:8443/", OTHER_PORT),
        ("https://pictures.example:80/", OTHER_PORT),
        ("https://pictures.example:port/", NO_URL),
        ("https://pictures.example\\@127.0.0.1/", NO_URL),
        ("https://pictures.example\t/", NO_URL),
        ("https://pictures.example/\r\nx: y", NO_URL),
        ("https://pictures.example/\0", NO_URL),
        ("https://pictures.example/\x7f", NO_URL),
        ("https://pictures.example/\ud800", NO_URL),
        ("https://pictures.example/\u202egnp.tac", NO_URL),
        ("https://[::1", NO_URL),
        ("https://[pictures.example]/", NO_URL),
    ],
)
async def test_all_but_plain_https_urls_are_refused_before_a_lookup(url: str, reason: str):
    names = here()

    assert await refusal(url, names=names) == reason
    assert names.requested == []


@given(st.text(max_size=60), st.text(max_size=60))
async def test_any_text_is_refused_without_another_error(host: str, path: str):
    names = Names({})

    assert await refusal(f"https://{host}/{path}", names=names) in (
        NO_URL,
        NOT_PLAIN,
        OTHER_PORT,
        PRIVATE,
        NOT_PUBLIC_HOST,
    )
    assert len(names.requested) <= 1


async def test_a_url_may_have_2000_characters():
    url = f"https://{HOST}/" + "x" * 2000

    assert await refusal(url) == "The image URL is longer than 2000 characters."
    assert await refusal(url[:2000], names=Names({})) == NOT_PUBLIC_HOST


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_url_with_an_address_that_is_not_public_is_refused(address: str):
    names = Names({})

    reason = await refusal(f"https://[{address}]/" if ":" in address else f"https://{address}/", names=names)

    assert reason in (PRIVATE, NO_URL)  # not a URL if it has a zone
    assert names.requested == []


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0",
        "127.1",
        "0x7f000001",
        "0X7F.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "169.254.169.254.",
        "127。0。0。1",
        "\uff11\uff12\uff17.0.0.1",  # full-width digits
        "①②⑦.0.0.1",
        "٨.٨.٨.٨",
        "ⓛocalhost",
        "local\u00adhost",
    ],
)
async def test_other_notations_of_addresses_and_names_are_refused(host: str):
    names = Names({})

    assert await refusal(f"https://{host}/", names=names) in (PRIVATE, NOT_PLAIN, NO_URL)
    assert names.requested == []


# --- Names -------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ADDRESSES)
async def test_a_name_that_resolves_to_an_address_that_is_not_public_is_refused(address: str):
    assert await refusal(f"https://{HOST}/", names=Names({HOST: [[address]]})) == NOT_PUBLIC_HOST


@pytest.mark.parametrize("answer", [["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "2606:4700::1111"]])
async def test_one_address_that_is_not_public_is_enough_to_refuse_a_name(answer: list[str]):
    assert await refusal(f"https://{HOST}/", names=Names({HOST: [answer]})) == NOT_PUBLIC_HOST


async def test_one_address_that_is_not_exempt_is_enough_to_refuse_a_name(
    authority: Authority, tls: ssl.SSLContext
):
    policy.allow(["127.0.0.1"])
    names = Names({HOST: [["127.0.0.1", "127.0.0.2"]]})

    assert await refusal(f"https://{HOST}/", names=names, trust=authority.trust) == NOT_PUBLIC_HOST


@pytest.mark.parametrize(
    "host", ["localhost", "a.localhost", "printer.local", "metadata.google.internal", "router.home.arpa"]
)
async def test_a_private_network_name_is_refused_even_with_a_public_address(host: str):
    assert await refusal(f"https://{host}/", names=Names({host: [["8.8.8.8"]]})) == NOT_PUBLIC_HOST


@pytest.mark.parametrize("host", ["localhost", "localhost.", "LOCALHOST", "a..b", "a" * 64 + ".example", "."])
async def test_a_name_without_a_public_address_is_refused(host: str):
    with pytest.raises(NotFetched) as caught:
        await fetch(f"https://{host}/", limits=PATIENT)

    assert caught.value.message == NOT_PUBLIC_HOST


async def test_private_and_unknown_names_are_refused_with_the_same_message():
    """Otherwise anyone could find out which names exist in the portal's network."""
    names = Names({"vault.corp.example": [["10.0.0.1"]], "empty.corp.example": [[]]})

    for host in ("vault", "empty", "missing"):
        assert await refusal(f"https://{host}.corp.example/", names=names) == NOT_PUBLIC_HOST


async def test_a_lookup_without_a_response_times_out():
    async def silent(host: str) -> list[str]:
        await asyncio.Event().wait()
        return []

    with pytest.raises(NotFetched) as caught:
        await fetch(f"https://{HOST}/", limits=replace(PATIENT, dns_seconds=0.1), resolve=silent)

    assert caught.value.message == NOT_PUBLIC_HOST


async def test_an_international_name_is_looked_up_in_its_ascii_form():
    names = Names({})

    await refusal("https://bücher.example/", names=names)

    assert names.requested == ["xn--bcher-kva.example"]


# --- Rebinding ---------------------------------------------------------------------------


async def test_a_name_is_resolved_once_and_the_checked_address_is_used(
    authority: Authority, tls: ssl.SSLContext
):
    """The system does not know this name, so only the checked answer can have been used."""
    policy.allow([HOST])
    names = Names({HOST: [["127.0.0.1"], ["127.0.0.2"]]})
    async with hostile(good, tls=tls) as server:
        assert (await fetch(at(HOST, server.url), limits=PATIENT, resolve=names, tls=authority.trust))[
            0
        ] == PICTURE

    assert names.requested == [HOST]
    assert server.connections == 1


async def test_a_redirect_to_a_name_with_a_private_address_is_refused(
    authority: Authority, tls: ssl.SSLContext
):
    """The redirect's name is checked like the URL's."""
    policy.allow(["127.0.0.1"])
    names = Names({"127.0.0.1": [["127.0.0.1"]], HOST: [["10.0.0.1"]]})
    on = answers(b"", "302 Found", location=f"https://{HOST}/")
    async with hostile(on, tls=tls) as server:
        reason = await refusal(f"{server.url}/", names=names, trust=authority.trust)

    assert reason == NOT_PUBLIC_HOST
    assert names.requested == ["127.0.0.1", HOST]


# --- What is exempt ----------------------------------------------------------------------


async def test_an_address_that_is_not_exempt_is_not_connected_to(authority: Authority, tls: ssl.SSLContext):
    async with hostile(good, tls=tls) as server:
        assert await refusal(f"{server.url}/", trust=authority.trust) == OTHER_PORT
        assert server.connections == 0

        policy.allow(["127.0.0.0/8"])
        names = Names({"127.0.0.1": [["127.0.0.1"]]})
        assert (await fetch(f"{server.url}/", limits=PATIENT, resolve=names, tls=authority.trust))[
            0
        ] == PICTURE


async def test_exempt_hosts_are_still_fetched_over_https_only(authority: Authority):
    policy.allow([HOST, "127.0.0.0/8"])
    async with hostile(good) as server:
        for url in (server.url, at(HOST, server.url).replace("https:", "http:")):
            assert await refusal(url, trust=authority.trust) == NO_HTTPS

    assert server.connections == 0
