"""The first use of an upload: its file is checked and becomes the image of the same id."""

from __future__ import annotations

import asyncio
import contextlib
import uuid

import pytest

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import InvalidInput, NotFound
from editor.media import store
from editor.media.limits import BadImage
from editor.models import Image
from editor.operations import jobs, uploads
from tests.conftest import let_database_work_end
from tests.factories import make_actor, make_image, photo
from tests.media.pictures import decode, encode, png
from tests.media.pictures import photo as picture
from tests.operations.upload_files import announce, claim, expire, send, sent, stored_files

pytestmark = pytest.mark.usefixtures("committed")

GPS = {1: "N", 2: (48.0, 8.0, 12.0), 3: "E", 4: (11.0, 34.0, 31.0)}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def test_the_image_has_the_promised_id_and_can_be_edited(actor: Actor) -> None:
    upload = sent(actor, photo(width=96, height=64), file_name="coffee.png")
    claim(actor, upload.id)
    image = lookups.image(actor, upload.id)
    assert (image.kind, image.width, image.height) == (Image.Kind.SOURCE, 96, 64)
    assert (image.created_by, image.original_name) == (actor.user, "coffee.png")
    assert store.read(store.thumbnail_name(image.storage_name, 160))
    with pytest.raises(NotFound):
        store.read(upload.storage_name)
    assert jobs.submit(actor=actor, request=jobs.NewEdit(prompt="warmer", image_ids=(image.id,)))


def test_further_uses_return_the_same_image(actor: Actor) -> None:
    upload = sent(actor)
    for _ in range(3):
        claim(actor, upload.id)
    assert Image.objects.count() == 1


def test_claiming_ignores_ids_that_are_not_uploads(actor: Actor) -> None:
    image, upload = make_image(actor), sent(actor)
    claim(actor, image.id, str(upload.id), upload.id, uuid.uuid4())
    assert set(Image.objects.values_list("id", flat=True)) == {image.id, upload.id}


def test_an_invalid_id_is_not_found(actor: Actor) -> None:
    with pytest.raises(NotFound):
        claim(actor, "x")


def test_another_workspaces_upload_is_not_found(actor: Actor) -> None:
    upload, rival = sent(actor), make_actor(name="Rivals")
    claim(rival, upload.id)
    with pytest.raises(NotFound):
        lookups.image(rival, upload.id)
    assert not Image.objects.exists()
    claim(actor, upload.id)
    with pytest.raises(NotFound):
        lookups.image(rival, upload.id)


def test_concurrent_uses_make_one_image(actor: Actor) -> None:
    upload = sent(actor, photo(width=1500, height=1000))

    async def all_at_once() -> None:
        await asyncio.gather(*(uploads.claim(actor=actor, image_ids=[upload.id]) for _ in range(12)))

    asyncio.run(all_at_once())
    assert store.read(Image.objects.get().storage_name)
    assert len(stored_files()) == 4  # the image and its thumbnails


def test_callers_who_disconnect_leave_no_files(actor: Actor) -> None:
    upload = sent(actor, photo(width=1500, height=1000))

    async def begin_and_leave(seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await uploads.claim(actor=actor, image_ids=[upload.id])

    for seconds in (0.001, 0.02, 0.05, 0.1, 0.2):
        asyncio.run(begin_and_leave(seconds))
    claim(actor, upload.id)
    let_database_work_end()
    assert Image.objects.get().id == upload.id
    assert len(stored_files()) == 4


def test_a_use_that_lost_the_race_leaves_no_files(actor: Actor) -> None:
    upload = sent(actor)
    clean = store.clean(photo(colour="blue"), tenant="t")
    claim(actor, upload.id)
    uploads._become_image(upload, clean)
    assert (Image.objects.count(), len(stored_files())) == (1, 4)


def test_using_an_upload_without_its_file_is_refused(actor: Actor) -> None:
    ticket = announce(actor)
    with pytest.raises(InvalidInput, match="not been uploaded yet"):
        claim(actor, ticket.image_id)
    send(ticket, photo())
    claim(actor, ticket.image_id)
    assert lookups.image(actor, ticket.image_id)


def test_an_expired_link_without_a_file_is_not_found(actor: Actor) -> None:
    ticket = announce(actor)
    expire(ticket.image_id, seconds=1)
    with pytest.raises(NotFound, match="expired"):
        claim(actor, ticket.image_id)


def test_a_file_sent_in_time_can_be_used_after_the_link_expired(actor: Actor) -> None:
    upload = sent(actor)
    expire(upload.id, hours=20)
    claim(actor, upload.id)
    assert lookups.image(actor, upload.id)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (SVG, "SVG images are not supported"),
        (b"hello", "not an image"),
        (photo()[:120], "damaged or incomplete"),
        (png(30_000, 30_000, bits=1, colour_type=0, rows=b"\0" * 1000), "too many pixels|megapixels"),
    ],
    ids=["SVG", "text", "cut off", "30k x 30k"],
)
def test_an_unusable_file_is_refused_and_deleted(actor: Actor, content: bytes, message: str) -> None:
    upload = sent(actor, content)
    for _ in range(2):
        with pytest.raises(BadImage, match=message) as refused:
            claim(actor, upload.id)
        assert refused.value.status == 400
    assert not Image.objects.exists()
    assert len(stored_files()) == 0


def test_the_bytes_decide_whatever_was_announced(actor: Actor) -> None:
    upload = sent(actor, encode(picture(), "WEBP"), file_name="a.jpg", content_type="image/jpeg")
    claim(actor, upload.id)
    assert Image.objects.get().content_type == "image/webp"


def test_location_metadata_is_removed(actor: Actor) -> None:
    exif = picture().getexif()
    exif.get_ifd(0x8825).update(GPS)
    content = encode(picture(), "JPEG", exif=exif)
    assert decode(content).getexif().get_ifd(0x8825)
    upload = sent(actor, content, content_type="image/jpeg")
    claim(actor, upload.id)
    image = Image.objects.get()
    assert not decode(store.read(image.storage_name)).getexif()


def test_data_after_the_end_of_an_image_is_removed(actor: Actor) -> None:
    upload = sent(actor, photo() + b"<script>alert(1)</script>")
    claim(actor, upload.id)
    assert b"script" not in store.read(Image.objects.get().storage_name)
