"""Stored files as responses: in pieces, as a range, or not modified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import AsyncClient, Client
from pytest_django import Settings

from editor.concurrency.threads import in_thread
from editor.media import links
from editor.models import Image
from editor.web.downloads import PIECE
from tests.emulators import s3
from tests.factories import make_actor, make_image

CONTENT = os.urandom(3 * PIECE + 100)


@pytest.fixture
def small(db: None) -> tuple[str, bytes]:
    """A link to a hundred bytes, and the bytes."""
    return links.sign(make_image_of(CONTENT[:100]).id), CONTENT[:100]


@pytest.fixture(params=["folder", "bucket"])
def storage(request: pytest.FixtureRequest, settings: Settings) -> Iterator[str]:
    if request.param == "folder":
        yield request.param
        return
    with s3.bucket() as bucket:
        bucket.use(settings)
        yield request.param


def make_image_of(content: bytes) -> Image:
    image = make_image(make_actor())
    default_storage.delete(image.storage_name)
    default_storage.save(image.storage_name, ContentFile(content))
    return image


@pytest.mark.usefixtures("committed", "storage")
@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [(None, 0, len(CONTENT)), (f"bytes=10-{2 * PIECE}", 10, 2 * PIECE + 1), ("bytes=-9", -9, len(CONTENT))],
    ids=["whole", "part", "end"],
)
async def test_a_large_file_is_sent_in_pieces(wanted: str | None, start: int, end: int) -> None:
    image = await in_thread(make_image_of, CONTENT)
    headers = {"Range": wanted} if wanted else {}
    response: Any = await AsyncClient().get(links.sign(image.id), headers=headers)
    pieces = [piece async for piece in response] if response.streaming else [response.content]
    assert b"".join(pieces) == CONTENT[start:end]
    assert max(map(len, pieces)) <= PIECE
    assert response["Content-Length"] == str(len(CONTENT[start:end]))
    assert response.status_code == (206 if wanted else 200)


@pytest.mark.parametrize(
    ("wanted", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=10-19", 10, 20),
        ("bytes=90-", 90, 100),
        ("bytes=90-1000", 90, 100),
        ("bytes=-10", 90, 100),
        ("bytes=-1000", 0, 100),
    ],
)
def test_a_range_can_be_requested(small: tuple[str, bytes], wanted: str, start: int, end: int) -> None:
    url, content = small
    response = Client().get(url, headers={"Range": wanted})
    assert (response.status_code, response.content) == (206, content[start:end])
    assert response["Content-Range"] == f"bytes {start}-{end - 1}/100"
    assert response["Content-Length"] == str(end - start)
    assert response["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=100-200", "bytes=-0", f"bytes={'9' * 18}-"])
def test_a_range_outside_the_file_is_refused(small: tuple[str, bytes], wanted: str) -> None:
    response = Client().get(small[0], headers={"Range": wanted})
    assert (response.status_code, response["Content-Range"]) == (416, "bytes */100")


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=2-1",
        "bytes=a-b",
        "bytes=0-1,5-6",
        "lines=0-1",
        "bytes=\u0660-1",
    ],
)
def test_an_invalid_range_gets_the_whole_file(small: tuple[str, bytes], wanted: str) -> None:
    url, content = small
    response = Client().get(url, headers={"Range": wanted})
    assert (response.status_code, response.content) == (200, content)
    assert response["Accept-Ranges"] == "bytes"


def test_a_range_of_another_file_gets_the_whole_file(small: tuple[str, bytes]) -> None:
    url, content = small
    etag = Client().get(url)["ETag"]
    same = Client().get(url, headers={"Range": "bytes=0-9", "If-Range": etag})
    other = Client().get(url, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (same.status_code, same.content) == (206, content[:10])
    assert (other.status_code, other.content) == (200, content)


def test_an_unchanged_file_is_not_sent_again(small: tuple[str, bytes]) -> None:
    etag = Client().get(small[0])["ETag"]
    assert Client().get(small[0], headers={"If-None-Match": etag}).status_code == 304
    assert Client().get(small[0], headers={"If-None-Match": '"other"'}).status_code == 200
    assert Client().get(small[0], headers={"If-Match": '"other"'}).status_code == 412


def test_each_size_of_an_image_has_its_own_etag(db: None) -> None:
    image = make_image(make_actor())
    tags = {Client().get(links.sign(image.id, variant))["ETag"] for variant in links.VARIANTS}
    assert len(tags) == len(links.VARIANTS)
    assert not any(image.storage_name in tag for tag in tags)


def test_head_returns_only_the_length(small: tuple[str, bytes]) -> None:
    response = Client().head(small[0], headers={"Range": "bytes=0-9"})
    assert (response.status_code, response["Content-Length"], response.content) == (200, "100", b"")
