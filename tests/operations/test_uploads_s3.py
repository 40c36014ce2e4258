"""Uploads with bucket storage: the bucket receives the files itself, at presigned links."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pytest_django import Settings

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import InvalidInput
from editor.media import store
from editor.media.limits import MAX_BYTES, BadImage
from editor.models import Image, Upload
from editor.operations import uploads
from tests.emulators import s3
from tests.emulators.s3 import Bucket, Stored
from tests.factories import make_actor, photo
from tests.operations.upload_files import announce, claim, expire

pytestmark = pytest.mark.usefixtures("committed")

PNG = {"content-type": "image/png"}


@pytest.fixture
def bucket(settings: Settings) -> Iterator[Bucket]:
    with s3.bucket() as bucket:
        bucket.use(settings)
        yield bucket


@pytest.fixture
def actor(bucket: Bucket) -> Actor:
    return make_actor()


def test_the_link_is_the_buckets_and_signs_the_type(actor: Actor, bucket: Bucket) -> None:
    ticket = announce(actor)
    query = parse_qs(urlsplit(ticket.upload_url).query)
    assert ticket.upload_url.startswith(f"{bucket.url}/{s3.NAME}/incoming/{actor.workspace.id}/")
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-SignedHeaders"] == ["content-type;host"]
    assert query["X-Amz-Expires"] == ["3600"]
    assert "/i/" in ticket.public_url
    assert bucket.calls == []


def test_a_file_sent_to_the_bucket_becomes_an_image(actor: Actor, bucket: Bucket) -> None:
    ticket = announce(actor)
    assert httpx.put(ticket.upload_url, content=photo(), headers=PNG).status_code == 200
    raw = Upload.objects.get().storage_name
    assert bucket.objects[raw] == Stored(photo(), "image/png")
    claim(actor, ticket.image_id)
    image = lookups.image(actor, ticket.image_id)
    assert bucket.objects[image.storage_name].content_type == "image/png"
    assert store.read(image.storage_name).startswith(b"\x89PNG")
    assert raw not in bucket.objects


def test_the_bucket_takes_the_spelling_that_was_announced(actor: Actor, bucket: Bucket) -> None:
    ticket = announce(actor, content_type="image/jpg")
    assert httpx.put(ticket.upload_url, content=photo(), headers={"content-type": "image/jpg"}).is_success


@pytest.mark.parametrize("content_type", ["image/jpeg", "text/html", ""])
def test_the_bucket_refuses_another_content_type(actor: Actor, bucket: Bucket, content_type: str) -> None:
    refused = httpx.put(announce(actor).upload_url, content=photo(), headers={"content-type": content_type})
    assert (refused.status_code, "SignatureDoesNotMatch" in refused.text) == (403, True)
    assert bucket.objects == {}


def test_the_bucket_refuses_an_expired_or_tampered_link(actor: Actor, bucket: Bucket) -> None:
    url = announce(actor).upload_url
    other = urlsplit(announce(actor).upload_url)
    swapped = urlsplit(url)._replace(path=other.path).geturl()
    assert httpx.put(swapped, content=photo(), headers=PNG).status_code == 403
    bucket.ahead = 3601
    assert httpx.put(url, content=photo(), headers=PNG).status_code == 403
    assert bucket.objects == {}


def test_using_an_upload_without_its_file_is_refused(actor: Actor) -> None:
    with pytest.raises(InvalidInput, match="not been uploaded yet"):
        claim(actor, announce(actor).image_id)


def test_a_file_that_is_too_large_is_refused_without_reading_all_of_it(actor: Actor, bucket: Bucket) -> None:
    ticket = announce(actor)
    name = Upload.objects.get().storage_name
    bucket.objects[name] = Stored(bytes(8 * MAX_BYTES), "image/png")
    for _ in range(2):
        with pytest.raises(BadImage, match="limit is 25 MiB"):
            claim(actor, ticket.image_id)
    assert bucket.calls.count(f"GET {name}") == 1
    assert bucket.sent < 2 * MAX_BYTES
    assert name not in bucket.objects


def test_a_file_sent_again_after_its_use_changes_nothing_and_is_purged(actor: Actor, bucket: Bucket) -> None:
    ticket = announce(actor)
    httpx.put(ticket.upload_url, content=photo(), headers=PNG)
    claim(actor, ticket.image_id)
    image = Image.objects.get()
    before = bucket.objects[image.storage_name]
    assert httpx.put(ticket.upload_url, content=photo(colour="blue"), headers=PNG).status_code == 200
    claim(actor, ticket.image_id)
    assert bucket.objects[image.storage_name] == before
    expire(ticket.image_id, days=2)
    assert uploads.purge() == 1
    assert not [name for name in bucket.objects if name.startswith("incoming/")]
