"""Uploads of API clients: announced, sent to upload links, and cleaned up."""

from __future__ import annotations

import asyncio
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from editor.access import lookups
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.errors import Conflict, InvalidInput, LimitExceeded, NotFound, PermissionDenied
from editor.media import store
from editor.models import Image, Role, Upload
from editor.operations import uploads
from editor.operations.uploads import Permit
from tests.factories import make_actor, make_member
from tests.operations.upload_files import BASE, announce, claim, expire, send, sent, stored_files
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def test_the_links_are_the_portals_own(actor: Actor) -> None:
    ticket = announce(actor, size=123)
    upload = Upload.objects.get()
    assert ticket.image_id == upload.id
    assert ticket.upload_url == f"{BASE}/uploads/{uploads.token(upload)}"
    assert ticket.public_url.startswith(f"{BASE}/i/")
    assert ticket.expires_in == 3600
    assert upload.expires_at - upload.created_at == pytest.approx(
        timedelta(hours=1), abs=timedelta(minutes=5)
    )
    assert (upload.workspace, upload.created_by, upload.declared_size) == (actor.workspace, actor.user, 123)


def test_the_storage_name_cannot_be_guessed(actor: Actor) -> None:
    names = {Upload.objects.get(pk=announce(actor).image_id).storage_name for _ in range(2)}
    assert len(names) == 2
    for name in names:
        assert name.startswith(f"incoming/{actor.workspace.id}/")
        assert len(name.rpartition("/")[2]) == 32


@pytest.mark.parametrize(
    "wrong",
    [
        {"file_name": ""},
        {"file_name": "x" * 256},
        {"content_type": "image/svg+xml"},
        {"content_type": "image/PNG"},
        {"content_type": ""},
        {"size": -1},
        {"size": 2**63},
    ],
)
def test_invalid_fields_are_refused(actor: Actor, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        announce(actor, **wrong)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("name", ["x" * 255, "../../etc/passwd", "a\x00b.png", "\ud800.png", "/"])
def test_odd_file_names_are_sanitized(actor: Actor, name: str) -> None:
    upload = sent(actor, file_name=name)
    claim(actor, upload.id)
    kept = Image.objects.get(pk=upload.id).original_name
    assert kept.isprintable()
    assert "/" not in kept


def test_a_viewer_can_neither_announce_nor_use_an_upload(actor: Actor) -> None:
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        announce(viewer)
    with pytest.raises(PermissionDenied):
        claim(viewer, uuid.uuid4())


def test_the_number_of_unused_uploads_is_limited(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAXIMUM_UNUSED", 3)
    used, ended, kept = sent(actor), announce(actor), sent(actor)
    with pytest.raises(LimitExceeded):
        announce(actor)
    announce(make_actor(name="Others"))
    claim(actor, used.id)
    expire(ended.image_id, seconds=1)
    expire(kept.id, seconds=1)  # it has its file, so it counts
    for _ in range(2):
        announce(actor)
    with pytest.raises(LimitExceeded):
        announce(actor)


def test_a_link_permits_its_own_upload(actor: Actor) -> None:
    ticket = announce(actor, content_type="image/webp")
    permit = uploads.read_token(ticket.upload_url.rpartition("/")[2])
    assert permit == Permit(upload_id=ticket.image_id, content_type="image/webp")
    assert uploads.expect(permit=permit) == actor.workspace.id


@pytest.mark.parametrize("spelling", ["image/jpg", "image/pjpg", "image/pjpeg"])
def test_other_spellings_of_jpeg_are_jpeg(actor: Actor, spelling: str) -> None:
    ticket = announce(actor, content_type=spelling)
    assert uploads.read_token(ticket.upload_url.rpartition("/")[2]).content_type == "image/jpeg"


def test_a_tampered_link_is_refused(actor: Actor) -> None:
    one, other = (announce(actor).upload_url.rpartition("/")[2] for _ in range(2))
    mixed = one.rpartition(".")[0] + "." + other.rpartition(".")[2]
    for text in (one[:-1], one + "x", mixed, "", "x", "a.b", "é.ü", "\ud800.x"):
        with pytest.raises(PermissionDenied):
            uploads.read_token(text)


def test_an_expired_link_is_refused(actor: Actor) -> None:
    ticket = announce(actor)
    expire(ticket.image_id, seconds=1)
    with pytest.raises(PermissionDenied, match="expired"):
        uploads.read_token(uploads.token(Upload.objects.get()))


def test_a_file_can_be_sent_only_once(actor: Actor) -> None:
    ticket = announce(actor)
    send(ticket, b"first")
    with pytest.raises(Conflict):
        send(ticket, b"second")
    assert store.read(Upload.objects.get().storage_name) == b"first"


def test_of_two_concurrent_files_the_first_is_kept(actor: Actor) -> None:
    permit = uploads.read_token(announce(actor).upload_url.rpartition("/")[2])
    with ThreadPoolExecutor() as threads:
        with transaction.atomic():
            uploads.receive(permit=permit, content=b"first")
            second = threads.submit(asyncio.run, in_thread(uploads.receive, permit=permit, content=b"second"))
            wait_until(lambda: second.done() or somebody_waits_for_our_locks(), "the second file")
            assert not second.done()
        with pytest.raises(Conflict):
            second.result(timeout=PATIENCE)
    assert store.read(Upload.objects.get().storage_name) == b"first"


def test_a_partial_file_left_by_a_crash_is_replaced(actor: Actor) -> None:
    ticket = announce(actor)
    store.save(Upload.objects.get().storage_name, b"half of", "image/png")
    send(ticket, b"whole file")
    assert store.read(Upload.objects.get().storage_name) == b"whole file"


def test_a_deleted_upload_accepts_no_file(actor: Actor) -> None:
    ticket = announce(actor)
    Upload.objects.all().delete()
    with pytest.raises(PermissionDenied):
        send(ticket, b"x")


def test_unused_uploads_are_purged_a_day_after_their_link_expired(actor: Actor) -> None:
    old, young, fresh = sent(actor), sent(actor), sent(actor)
    expire(old.id, hours=24, minutes=1)
    expire(young.id, hours=23)
    assert uploads.purge() == 1
    assert uploads.purge() == 0
    assert set(Upload.objects.all()) == {young, fresh}
    assert len(stored_files()) == 2
    with pytest.raises(NotFound):
        claim(actor, old.id)
        lookups.image(actor, old.id)


def test_purging_keeps_the_image_of_a_used_upload(actor: Actor) -> None:
    upload = sent(actor)
    claim(actor, upload.id)
    expire(upload.id, days=2)
    assert uploads.purge() == 1
    assert store.read(lookups.image(actor, upload.id).storage_name)
