"""Files that no row refers to are swept, and no others."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from editor.access.actor import Actor
from editor.media import incoming, store
from editor.models import Image, Upload
from editor.models.workspaces import DEFAULT_TRASH_DAYS
from editor.operations import orphans, trash, uploads
from tests.emulators import s3
from tests.factories import make_actor, make_image
from tests.operations.upload_files import announce, expire

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1, minutes=1)
Age = Callable[[], None]
Names = Callable[[], set[str]]


@pytest.fixture(params=["folder", "bucket"])
def storage(
    request: pytest.FixtureRequest, settings: Settings, tmp_path: Path
) -> Iterator[tuple[Age, Names]]:
    """A function that makes all files a day old, and one that returns their names."""
    if request.param == "folder":
        root = tmp_path / "media"

        def files() -> list[Path]:
            return [path for path in root.rglob("*") if path.is_file()]

        def age() -> None:
            past = (timezone.now() - DAY).timestamp()
            for path in files():
                os.utime(path, (past, past))

        yield age, lambda: {path.relative_to(root).as_posix() for path in files()}
        return
    with s3.bucket() as bucket:
        bucket.use(settings)

        def age_objects() -> None:
            for one in bucket.objects.values():
                one.modified -= DAY

        yield age_objects, lambda: set(bucket.objects)


@pytest.fixture
def actor(storage: tuple[Age, Names]) -> Actor:
    return make_actor()


def left_behind(actor: Actor) -> list[str]:
    """What crashes may leave: an image, a thumbnail and an upload that was not processed."""
    image = store.new_name(actor.workspace.pk, uuid.uuid4(), "png")
    names = [image, store.thumbnail_name(image, 512), incoming.new_name(actor.workspace.pk)]
    for name in names:
        store.save(name, b"half", "image/png")
    return names


def test_files_without_a_row_are_deleted_after_a_day(storage: tuple[Age, Names], actor: Actor) -> None:
    age, names = storage
    left = left_behind(actor)
    assert orphans.Sweep().step() == 0
    assert names() == set(left)
    age()
    assert orphans.Sweep().step() == len(left)
    assert names() == set()


def test_files_with_a_row_stay(storage: tuple[Age, Names], actor: Actor) -> None:
    age, names = storage
    image = make_image(actor)
    announced = Upload.objects.get(pk=announce(actor).image_id)
    store.save(announced.storage_name, b"as it came", "image/png")
    trash.discard(actor=actor, images=[make_image(actor)])
    age()
    before = names()
    assert len(before) >= 8
    assert orphans.Sweep().step() == 0
    assert names() == before
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now(), purged_at=timezone.now())
    assert orphans.Sweep().step() == 4
    assert store.names_of(image.storage_name)[0] not in names()


def test_files_that_the_storage_failed_to_delete_are_deleted_after_a_day(
    storage: tuple[Age, Names], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    age, names = storage
    long_ago = timezone.now() - timedelta(days=DEFAULT_TRASH_DAYS + 1)
    Image.objects.filter(pk=make_image(actor).pk).update(trashed_at=long_ago)
    upload = Upload.objects.get(pk=announce(actor).image_id)
    store.save(upload.storage_name, b"as it came", "image/png")
    expire(upload.pk, days=2)
    before = names()
    with monkeypatch.context() as broken:
        broken.setattr(store, "delete", lambda name: 1 / 0)
        assert (trash.purge(), uploads.purge()) == (1, 1)
    assert names() == before
    age()
    assert orphans.Sweep().step() == len(before) == 5
    assert names() == set()


def test_files_of_another_portal_in_the_same_storage_stay(storage: tuple[Age, Names], actor: Actor) -> None:
    age, names = storage
    others = [store.new_name(uuid.uuid4(), uuid.uuid4(), "png"), "backup/database.dump", "w/notes.txt"]
    for name in others:
        store.save(name, b"whole", "image/png")
    age()
    assert orphans.Sweep().step() == 0
    assert names() == set(others)


def test_each_step_checks_a_limited_number_of_files_and_the_sweep_starts_over(
    storage: tuple[Age, Names], actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    age, names = storage
    monkeypatch.setattr(orphans, "STEP", 2)
    left_behind(actor)
    age()
    sweep = orphans.Sweep()
    assert [sweep.step() for _ in range(3)] == [2, 1, 0]
    assert names() == set()
    again = left_behind(actor)
    age()
    assert [sweep.step() for _ in range(2)] == [2, len(again) - 2]
