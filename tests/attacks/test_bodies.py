"""Unsolicited request bodies: the portal's memory and disk that they hold while unfinished."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.attacks.measures import (
    MIB,
    connect,
    cookies_of,
    head_of_answer,
    memory,
    push,
    status_of,
    temporary_files,
)
from tests.e2e.client import Client
from tests.e2e.portal import Portal
from tests.e2e.studio import picture

BOUND = 60 * MIB
FORM = "Content-Type: multipart/form-data; boundary=x"
BEGINNING = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n\r\n'


@pytest.fixture(scope="module")
def portal(common_portal: Portal) -> Portal:
    common_portal.bootstrap(email="rival@example.test", workspace="Rivals", credits=10)
    return common_portal


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def begin(
    held: ExitStack, portal: Portal, path: str, *lines: str, length: int = 25 * MIB, sent: int | None = None
) -> socket.socket:
    """Start an upload of `length` bytes and send all but the last of them, or only `sent`."""
    connection = connect(portal, f"POST {path} HTTP/1.1", FORM, f"Content-Length: {length}", *lines)
    held.enter_context(closing(connection))
    count = length - 1 if sent is None else sent
    push(connection, BEGINNING[:count] + bytes(max(0, count - len(BEGINNING))))
    return connection


def sign_in(held: ExitStack, portal: Portal, email: str, slug: str) -> Client:
    client = Client(portal, email=email, slug=slug)
    held.enter_context(closing(client.http))
    return client


def test_fifteen_uploads_of_strangers_hold_no_temporary_files(portal: Portal, held: ExitStack) -> None:
    before = memory(portal)
    for _ in range(15):
        begin(held, portal, "/w/nosuch/upload/")
    assert temporary_files(portal) < BOUND
    assert memory(portal) - before < BOUND


@pytest.mark.parametrize("path", ["/w/nosuch/run/", "/w/acme-studio/inputs/", "/accounts/login/", "/admin/"])
def test_forty_smaller_bodies_of_strangers_hold_little_memory(
    portal: Portal, held: ExitStack, path: str
) -> None:
    length = 4_600_000 if path.endswith("run/") else 2 * MIB
    before = memory(portal)
    for _ in range(40):
        begin(held, portal, path, length=length)
    assert memory(portal) - before < BOUND
    assert temporary_files(portal) < BOUND


def test_forty_callbacks_at_forged_urls_hold_little_memory(portal: Portal, held: ExitStack) -> None:
    before = memory(portal)
    for _ in range(40):
        begin(held, portal, "/callbacks/bfl/forged/", length=2 * MIB)
    assert memory(portal) - before < BOUND


def test_bodies_without_a_length_are_limited(portal: Portal, held: ExitStack) -> None:
    before = memory(portal)
    piece = b"%x\r\n" % MIB + bytes(MIB) + b"\r\n"
    for _ in range(10):
        lines = ("POST /accounts/login/ HTTP/1.1", FORM, "Transfer-Encoding: chunked")
        connection = held.enter_context(closing(connect(portal, *lines)))
        push(connection, piece * 2)
    assert memory(portal) - before < 10 * MIB
    assert temporary_files(portal) < BOUND


@pytest.mark.parametrize("fragment", [False, True], ids=["page", "fragment"])
def test_a_stranger_is_answered_before_the_body(portal: Portal, held: ExitStack, fragment: bool) -> None:
    lines = ("HX-Request: true", "HX-Request-Type: partial") if fragment else ()
    answer = head_of_answer(begin(held, portal, "/w/acme-studio/upload/", *lines, sent=100))
    assert status_of(answer) == 302  # app.js treats this as the end of the session
    assert "/accounts/login/?next=/w/acme-studio/upload/" in answer


def test_another_tenant_is_answered_before_the_body(portal: Portal, held: ExitStack) -> None:
    rival = sign_in(held, portal, "rival@example.test", "rivals")
    connection = begin(held, portal, "/w/acme-studio/upload/", cookies_of(rival), sent=100)
    assert status_of(head_of_answer(connection)) == 404


@pytest.mark.parametrize(
    "line",
    ["X-CSRFToken: forged", "Origin: https://evil.example", "Origin: null"],
    ids=["token", "site", "null"],
)
def test_a_cross_site_request_is_refused_before_the_body(portal: Portal, held: ExitStack, line: str) -> None:
    amara = sign_in(held, portal, "amara@example.test", "acme-studio")
    connection = begin(held, portal, "/w/acme-studio/upload/", cookies_of(amara), line, sent=100)
    assert status_of(head_of_answer(connection)) == 403


def test_the_concurrent_uploads_of_a_user_are_limited_and_others_can_upload(
    portal: Portal, held: ExitStack
) -> None:
    amara = sign_in(held, portal, "amara@example.test", "acme-studio")
    rival = sign_in(held, portal, "rival@example.test", "rivals")
    for _ in range(12):
        connection = begin(held, portal, "/w/acme-studio/upload/", cookies_of(amara), sent=100)
        connection.setblocking(False)
        rest = memoryview(bytes(25 * MIB - 101))
        with pytest.raises(BlockingIOError):
            while True:
                rest = rest[connection.send(rest) :]

    answer = rival.send("/w/rivals/upload/", files={"files": ("a.png", picture("teal"), "image/png")})
    assert answer.status_code == 302, answer.text
    assert temporary_files(portal) < 4 * 26 * MIB
