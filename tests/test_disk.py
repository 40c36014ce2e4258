"""With little disk left, requests that would fill it are refused, and running edits complete."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from editor import disk
from editor.access.actor import Actor
from editor.engine import execution
from editor.errors import DiskFull, EditorError
from editor.models import CreditAccount, Image, Job, Status, Upload
from editor.operations import images, jobs, uploads
from editor.operations.jobs import NewEdit
from tests.factories import make_actor, make_image, photo
from tests.operations.upload_files import announce, claim, send, sent, stored_files

pytestmark = pytest.mark.usefixtures("committed")

MORE_THAN_THERE_IS = 10**18
EDIT = NewEdit(prompt="a quiet harbour")


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.mark.parametrize(("reserve", "low"), [(0, False), (MORE_THAN_THERE_IS, True)])
def test_the_disk_is_low_below_the_reserve(settings: Settings, reserve: int, low: bool) -> None:
    settings.STORAGE_RESERVE = reserve
    assert disk.is_low() is low


def test_the_default_reserve_is_a_limited_share_of_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STORAGE_RESERVE = None
    monkeypatch.setattr(disk, "RESERVE_SHARE", 1.0)
    monkeypatch.setattr(disk, "RESERVE_BYTES", MORE_THAN_THERE_IS)
    assert disk.is_low()
    monkeypatch.setattr(disk, "RESERVE_BYTES", 0)
    assert not disk.is_low()


WAYS: dict[str, Callable[[Actor], Any]] = {
    "an upload": make_image,
    "a sample": lambda actor: images.find_or_add_sample(actor=actor, name="coffee"),
    "a link": announce,
    "an edit": lambda actor: jobs.submit(actor=actor, request=EDIT),
    "the check of an edit": lambda actor: jobs.check(actor=actor, request=EDIT),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_with_little_disk_left_nothing_new_is_accepted(
    actor: Actor, settings: Settings, way: Callable[[Actor], Any]
) -> None:
    settings.STORAGE_RESERVE = MORE_THAN_THERE_IS
    with pytest.raises(DiskFull, match=r"disk is full.*Nothing was charged"):
        way(actor)
    assert not stored_files()
    assert not (Image.objects.exists() or Upload.objects.exists() or Job.objects.exists())
    assert CreditAccount.objects.get().held == 0


def test_files_for_earlier_upload_links_are_refused_unread(actor: Actor, settings: Settings) -> None:
    ticket, came = announce(actor), sent(actor)
    settings.STORAGE_RESERVE = MORE_THAN_THERE_IS
    with pytest.raises(DiskFull):
        uploads.expect(permit=uploads.read_token(ticket.upload_url.rpartition("/")[2]))
    with pytest.raises(DiskFull):
        claim(actor, came.id)
    settings.STORAGE_RESERVE = 0
    send(ticket, photo())
    claim(actor, ticket.image_id, came.id)


def test_running_edits_complete(actor: Actor, settings: Settings) -> None:
    job = jobs.submit(actor=actor, request=EDIT)
    settings.STORAGE_RESERVE = MORE_THAN_THERE_IS
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert job.results.count() == 1


def test_a_full_disk_is_recognized_by_its_errors_whatever_their_source(actor: Actor) -> None:
    assert disk.is_cause(OSError(errno.ENOSPC, "No space left on device"))
    assert disk.is_cause(OSError(errno.EDQUOT, "Disk quota exceeded"))
    assert not disk.is_cause(OSError(errno.EACCES, "Permission denied"))
    assert not disk.is_cause(None)
    with pytest.raises(OperationalError) as caught, connection.cursor() as cursor:
        # As PostgreSQL reports it.
        cursor.execute("DO $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$")
    assert disk.is_cause(caught.value)


def test_a_write_that_fails_for_lack_of_space_is_explained() -> None:
    with pytest.raises(DiskFull), disk.explained():
        raise OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(PermissionError), disk.explained():
        raise PermissionError


def test_a_full_disk_is_distinguished_from_other_unexpected_errors() -> None:
    otherwise = EditorError("Something failed.")
    full = OSError(errno.ENOSPC, "No space left on device")
    assert isinstance(disk.error_for(full, otherwise=otherwise), DiskFull)
    assert disk.error_for(PermissionError(), otherwise=otherwise) is otherwise
