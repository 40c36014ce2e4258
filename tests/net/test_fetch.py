"""Images are fetched over verified TLS, with no state kept between requests."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator

import pytest

from editor.errors import InvalidInput
from editor.net import policy
from editor.net.fetch import Limits, NotFetched, fetch
from tests.net.fetching import HOST, OTHER, PATIENT, Authority, Names, at, here, refusal
from tests.patience import until
from tests.providers.hostile import Write, answers, hostile

PICTURE = b"\x89PNG\r\n\x1a\n and so on"
good = answers(PICTURE, content_type="image/png")


@pytest.fixture(autouse=True)
def hosts_allowed() -> Iterator[None]:
    policy.allow([HOST, OTHER, "127.0.0.1"])
    yield
    policy.allow([])


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server(HOST, OTHER)


def test_a_failed_fetch_is_invalid_input():
    assert issubclass(NotFetched, InvalidInput)
    assert NotFetched("").status == 400


def test_the_default_limits_are_those_of_the_documentation():
    assert Limits(content_bytes=1) == Limits(seconds=30, connect_seconds=5, dns_seconds=3, content_bytes=1)


async def test_a_picture_is_fetched_unchanged(authority: Authority, tls: ssl.SSLContext):
    async with hostile(good, tls=tls) as server:
        got = await fetch(
            at(HOST, server.url, "/a b/ä.png?x=1&y=%2F#top"),
            limits=PATIENT,
            resolve=here(),
            tls=authority.trust,
        )

    assert got == (PICTURE, "image/png")
    (request,) = server.requests
    head = request.decode().lower()
    assert head.startswith("get /a%20b/%c3%a4.png?x=1&y=%2f http/1.1\r\n")
    assert f"\r\nhost: {HOST}:{server.url.rpartition(':')[2]}\r\n" in head
    assert "\r\naccept-encoding: identity\r\n" in head
    assert "\r\nconnection: close\r\n" in head
    assert "cookie" not in head
    assert "authorization" not in head


@pytest.mark.parametrize(
    ("header", "content_type"),
    [
        ("image/jpeg", "image/jpeg"),
        ("IMAGE/JPEG; charset=binary", "image/jpeg"),
        ("image/jpg", "image/jpeg"),
        ("image/pjpg", "image/jpeg"),
        ("image/heif", "image/heic"),
        ("image/avif", "image/avif"),
        ("image/webp", "image/webp"),
        ("image/gif", "image/gif"),
        ("application/octet-stream", "application/octet-stream"),
        ("binary/octet-stream", "application/octet-stream"),
        ("", "application/octet-stream"),
        (None, "application/octet-stream"),
    ],
)
async def test_the_type_is_the_servers_content_type(
    authority: Authority, tls: ssl.SSLContext, header: str | None, content_type: str
):
    answer = answers(PICTURE) if header is None else answers(PICTURE, content_type=header)
    async with hostile(answer, tls=tls) as server:
        got = await fetch(at(HOST, server.url), limits=PATIENT, resolve=here(), tls=authority.trust)

    assert got == (PICTURE, content_type)


@pytest.mark.parametrize(
    "header",
    [
        "text/html; charset=utf-8",
        "image/svg+xml",
        "image/tiff",
        "application/json",
        "image/png, text/html",
        "x",
    ],
)
async def test_other_content_types_are_refused(authority: Authority, tls: ssl.SSLContext, header: str):
    async with hostile(answers(PICTURE, content_type=header), tls=tls) as server:
        message = await refusal(at(HOST, server.url), trust=authority.trust)

    assert message == "The image URL does not lead to a JPEG, PNG, WebP, GIF, HEIC or AVIF image."


@pytest.mark.parametrize(
    "status",
    [
        "201 Created",
        "204 No Content",
        "206 Partial Content",
        "300 Multiple Choices",
        "302 Found",
        "304 Not Modified",
        "401 Unauthorized",
        "404 Not Found",
        "410 Gone",
        "429 Too Many Requests",
        "500 Internal Server Error",
        "503 Service Unavailable",
    ],
)
async def test_any_other_status_is_refused(authority: Authority, tls: ssl.SSLContext, status: str):
    """So is a redirect without a location."""
    async with hostile(answers(b"", status, content_type="image/png"), tls=tls) as server:
        message = await refusal(at(HOST, server.url), trust=authority.trust)

    code = status.partition(" ")[0]
    assert message == f"The image server responded with HTTP status {code} instead of an image."
    assert len(server.requests) == 1


# --- TLS and connections -----------------------------------------------------------------


async def test_authorities_in_ssl_cert_file_are_trusted(
    authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    async with hostile(good, tls=tls) as server:
        assert await fetch(at(HOST, server.url), limits=PATIENT, resolve=here()) == (PICTURE, "image/png")


async def test_a_certificate_of_an_untrusted_authority_is_refused(tls: ssl.SSLContext):
    async with hostile(good, tls=tls) as server:
        assert await refusal(at(HOST, server.url)) == "The image server has no valid certificate."

    assert server.requests == []


@pytest.mark.parametrize("requested", [HOST, "127.0.0.1"])
async def test_the_certificate_must_be_for_the_requested_name(authority: Authority, requested: str):
    """Not for the address that the name resolves to, nor for another name."""
    names = Names({HOST: [["127.0.0.1"]], "127.0.0.1": [["127.0.0.1"]]})
    wrong = OTHER if requested == "127.0.0.1" else "127.0.0.1"
    async with hostile(good, tls=authority.server(wrong)) as server:
        message = await refusal(at(requested, server.url), names=names, trust=authority.trust)
    assert message == "The image server has no valid certificate."
    assert server.requests == []

    async with hostile(good, tls=authority.server(requested)) as server:
        await fetch(at(requested, server.url), limits=PATIENT, resolve=names, tls=authority.trust)
    assert len(server.requests) == 1


async def test_a_name_with_a_trailing_dot_is_the_same_name(authority: Authority, tls: ssl.SSLContext):
    policy.allow([f"{HOST}."])
    names = Names({f"{HOST}.": [["127.0.0.1"]]})
    async with hostile(good, tls=tls) as server:
        assert (await fetch(at(f"{HOST}.", server.url), limits=PATIENT, resolve=names, tls=authority.trust))[
            0
        ] == PICTURE


async def test_a_server_without_tls_cannot_be_reached(authority: Authority):
    async with hostile(good, greeting=b"HTTP/1.1 400 Plain text here\r\n\r\n") as server:
        message = await refusal(at(HOST, server.url), trust=authority.trust)

    assert message == "The image server could not be reached."
    assert server.requests == []


async def test_the_system_resolves_names_and_one_reachable_address_is_enough(authority: Authority):
    """On many machines localhost resolves to ::1 too, where nothing listens here."""
    policy.allow(["localhost"])
    async with hostile(good, tls=authority.server("localhost")) as server:
        assert (await fetch(at("localhost", server.url), limits=PATIENT, tls=authority.trust))[0] == PICTURE


async def test_an_unreachable_address_is_skipped(authority: Authority, tls: ssl.SSLContext):
    names = Names({HOST: [["127.0.0.2", "127.0.0.1"]]})
    async with hostile(good, tls=tls) as server:
        assert (await fetch(at(HOST, server.url), limits=PATIENT, resolve=names, tls=authority.trust))[
            0
        ] == PICTURE


async def test_an_unreachable_server_is_reported_without_its_address(authority: Authority):
    async with hostile(good) as server:
        gone = at(HOST, server.url)

    assert await refusal(gone, trust=authority.trust) == "The image server could not be reached."


# --- No state, no proxies ----------------------------------------------------------------


async def test_proxies_of_the_environment_are_not_used(
    authority: Authority, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
):
    async with hostile(good) as proxy, hostile(good, tls=tls) as server:
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await fetch(at(HOST, server.url), limits=PATIENT, resolve=here(), tls=authority.trust)

    assert proxy.connections == 0


async def test_neither_cookies_nor_connections_are_kept(authority: Authority, tls: ssl.SSLContext):
    on = answers(b"", "302 Found", location="/next", set_cookie="a=b; path=/", connection="keep-alive")
    async with hostile(on, good, good, tls=tls) as server:
        for _ in range(2):
            await fetch(at(HOST, server.url), limits=PATIENT, resolve=here(), tls=authority.trust)

    assert server.connections == len(server.requests) == 3
    assert not any(b"cookie" in request.lower() for request in server.requests)


async def test_fetches_hold_no_thread(authority: Authority, tls: ssl.SSLContext):
    more = asyncio.Event()

    async def held(writer: Write) -> None:
        await more.wait()
        await good(writer)

    threads = threading.active_count()
    async with hostile(held, tls=tls) as server:
        calls = [
            asyncio.create_task(
                fetch(at(HOST, server.url), limits=PATIENT, resolve=here(), tls=authority.trust)
            )
            for _ in range(8)
        ]
        await until(lambda: len(server.requests) >= len(calls))
        assert threading.active_count() <= threads
        more.set()
        assert await asyncio.gather(*calls) == [(PICTURE, "image/png")] * len(calls)
