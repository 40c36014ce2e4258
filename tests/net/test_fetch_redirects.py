"""A few redirects are followed, and each is checked like a user's URL."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

import pytest

from editor.net import policy
from editor.net.fetch import fetch
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
from tests.providers.hostile import Behaviour, answers, hostile

PICTURE = b"picture"
good = answers(PICTURE, content_type="image/png")


@pytest.fixture(autouse=True)
def host_allowed() -> Iterator[None]:
    policy.allow([HOST])
    yield
    policy.allow([])


@pytest.fixture
def tls(authority: Authority) -> ssl.SSLContext:
    return authority.server(HOST)


def leads_to(location: str, status: str = "302 Found") -> Behaviour:
    return answers(b"", status, location=location)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Same", "308 Same"])
async def test_redirects_are_followed(authority: Authority, tls: ssl.SSLContext, status: str):
    async with hostile(leads_to("../ä.png?x=1", status), good, tls=tls) as server:
        got = await fetch(at(HOST, server.url, "/a/b"), limits=PATIENT, resolve=here(), tls=authority.trust)

    assert got == (PICTURE, "image/png")
    assert server.requests[1].startswith(b"GET /%C3%A4.png?x=1 HTTP/1.1\r\n")


async def test_a_redirect_to_another_host_is_checked_and_verified_as_that_host(authority: Authority):
    policy.allow([HOST, OTHER])
    names = here()
    async with hostile(good, tls=authority.server(OTHER)) as second:
        on = leads_to(at(OTHER, second.url))
        async with hostile(on, tls=authority.server(HOST)) as first:
            got = await fetch(at(HOST, first.url), limits=PATIENT, resolve=names, tls=authority.trust)

    assert got[0] == PICTURE
    assert names.requested == [HOST, OTHER]
    assert f"host: {OTHER}:".encode() in second.requests[0].lower()


async def test_three_redirects_are_followed_and_no_more(authority: Authority, tls: ssl.SSLContext):
    for redirects, followed in ((3, True), (4, False)):
        async with hostile(*[leads_to("/x")] * redirects, good, tls=tls) as server:
            url = at(HOST, server.url)
            if followed:
                assert (await fetch(url, limits=PATIENT, resolve=here(), tls=authority.trust))[0] == PICTURE
            else:
                message = await refusal(url, trust=authority.trust)
                assert message == "The image URL has too many redirects."

        assert len(server.requests) == 4


async def test_a_redirect_loop_ends(authority: Authority, tls: ssl.SSLContext):
    async with hostile(leads_to("/cat.png"), tls=tls) as server:
        message = await refusal(at(HOST, server.url), trust=authority.trust)

    assert message == "The image URL has too many redirects."
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://pictures.example/cat.png", NO_HTTPS),
        ("http://169.254.169.254/latest/meta-data/", NO_HTTPS),
        ("file:///etc/passwd", NO_HTTPS),
        ("data:image/png;base64,AAAA", NO_HTTPS),
        ("gopher://127.0.0.1:6379/_INFO", NO_HTTPS),
        ("https://127.0.0.1/", PRIVATE),
        ("//169.254.169.254/", PRIVATE),
        ("https://[::1]/", PRIVATE),
        ("https://[::ffff:10.0.0.1]/", PRIVATE),
        ("https://[64:ff9b::a00:1]/", PRIVATE),
        ("https://2130706433/", NOT_PLAIN),
        ("https://user@pictures.example/", NOT_PLAIN),
        ("https://other.example:22/", OTHER_PORT),
        ("https://private.example/", NOT_PUBLIC_HOST),
        ("https://pictures.example\\@127.0.0.1/", NO_URL),
        ("/\\127.0.0.1/", NO_URL),
        ("https://[::1/", NO_URL),
        ("/" + "x" * 2000, "The image URL is longer than 2000 characters."),
    ],
)
async def test_a_redirect_is_checked_like_a_users_url(
    authority: Authority, tls: ssl.SSLContext, location: str, message: str
):
    names = Names({HOST: [["127.0.0.1"]], "private.example": [["8.8.8.8", "10.0.0.1"]]})
    async with hostile(leads_to(location), good, tls=tls) as server:
        assert await refusal(at(HOST, server.url), names=names, trust=authority.trust) == message

    assert len(server.requests) == 1
