"""Readers that stop reading: the portal's memory that their downloads hold."""

from __future__ import annotations

import html
import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack, closing

import httpx
import pytest

from tests.attacks.measures import (
    MIB,
    connect,
    cookies_of,
    head_of_answer,
    make_large_image,
    memory,
    status_of,
    until,
)
from tests.e2e.client import Client
from tests.e2e.portal import Portal

BOUND = 60 * MIB
LARGE = 22 * MIB


@pytest.fixture(scope="module")
def amara(common_portal: Portal) -> Iterator[Client]:
    client = Client(common_portal, email="amara@example.test", slug="acme-studio")
    yield client
    client.http.close()


@pytest.fixture(scope="module")
def image_id(common_portal: Portal, amara: Client) -> str:
    return make_large_image(common_portal, amara, size=LARGE)


@pytest.fixture(scope="module")
def share(amara: Client, image_id: str) -> str:
    """The path of a share link to the image."""
    page = amara.post(f"/w/acme-studio/images/{image_id}/shares/", days="1").text
    found = re.search(r'<code class="secret"[^>]*>http://[^/]+(/s/[^<]+)</code>', page)
    assert found
    return html.unescape(found[1])


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def stall(held: ExitStack, portal: Portal, path: str, *lines: str) -> tuple[socket.socket, str]:
    """A reader that has read the response's head and reads no more."""
    connection = connect(portal, f"GET {path} HTTP/1.1", *lines, buffer=4096)
    held.enter_context(closing(connection))
    return connection, head_of_answer(connection)


def test_forty_stalled_readers_of_a_share_hold_little_memory(
    common_portal: Portal, share: str, held: ExitStack
) -> None:
    before = memory(common_portal)
    for _ in range(40):
        _, head = stall(held, common_portal, f"{share}full/")
        assert status_of(head) == 200
        assert f"content-length: {LARGE}" in head.lower()
    assert memory(common_portal) - before < BOUND


def test_fifteen_stalled_zips_hold_little_memory_and_most_get_429(
    common_portal: Portal, amara: Client, image_id: str, held: ExitStack
) -> None:
    before = memory(common_portal)
    heads = []
    path = f"/w/acme-studio/gallery/zip/?images={image_id}"
    for _ in range(15):
        _, head = stall(held, common_portal, path, cookies_of(amara))
        heads.append(head)
    assert memory(common_portal) - before < BOUND
    statuses = list(map(status_of, heads))
    assert statuses.count(200) <= 2  # those of an earlier test may not have ended yet
    assert statuses.count(429) == 15 - statuses.count(200)
    assert all("retry-after: " in head.lower() for head in heads if status_of(head) == 429)


def test_closing_a_zip_download_frees_its_slot(
    common_portal: Portal, amara: Client, image_id: str, held: ExitStack
) -> None:
    path = f"/w/acme-studio/gallery/zip/?images={image_id}"
    begun: list[socket.socket] = []

    def begins() -> bool:
        connection, head = stall(held, common_portal, path, cookies_of(amara))
        begun.append(connection)
        return status_of(head) == 200

    until(begins)  # those of an earlier test may not have ended yet
    until(begins)
    assert not begins()
    for connection in begun:
        connection.close()
    until(begins)


def test_a_part_of_a_file_can_be_requested(common_portal: Portal, share: str) -> None:
    url = f"{common_portal.url}{share}full/"
    whole = httpx.get(url)
    assert (len(whole.content), whole.headers["accept-ranges"]) == (LARGE, "bytes")
    part = httpx.get(url, headers={"Range": "bytes=1000000-1999999", "If-Range": whole.headers["etag"]})
    assert (part.status_code, part.content) == (206, whole.content[1_000_000:2_000_000])
    assert part.headers["content-range"] == f"bytes 1000000-1999999/{LARGE}"
