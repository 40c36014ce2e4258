"""Images are checked on upload, and results become the next versions of their image."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection, transaction

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.errors import EditorError, NotFound, PermissionDenied
from editor.media import store
from editor.models import Image, Job, Role, Status
from editor.operations import images, jobs, outcomes, trash
from editor.operations.images import Stored
from editor.operations.jobs import NewEdit
from tests.factories import make_actor, make_image, make_member, make_workspace, photo
from tests.operations.upload_files import claim, sent, stored_files
from tests.web.rows import add_completed, add_image, add_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def stored() -> Stored:
    image_id = uuid.uuid4()
    return Stored(
        id=image_id,
        storage_name=f"nowhere/{image_id}.png",
        content_type="image/png",
        width=96,
        height=64,
        size=1,
    )


def test_an_upload_is_stored_with_its_thumbnails(actor: Actor) -> None:
    image = make_image(actor)
    assert (image.kind, image.version, image.label, image.root) == ("source", 1, "Original", None)
    assert len(store.read(image.storage_name)) == image.size
    for width in store.THUMBNAILS:
        assert store.read(store.thumbnail_name(image.storage_name, width))


def test_storage_names_cannot_be_guessed_from_ids(actor: Actor) -> None:
    image = make_image(actor)
    rest = image.storage_name.rpartition(str(image.id))[2]
    assert len(rest) >= 32
    assert "photo" not in image.storage_name


def test_a_file_that_is_not_an_image_leaves_nothing(actor: Actor) -> None:
    with pytest.raises(EditorError):
        images.upload(actor=actor, content=b"hello", name="a.png")
    assert not Image.objects.exists()


WAYS: dict[str, Callable[[Actor], Any]] = {
    "upload": make_image,
    "sample": lambda actor: images.find_or_add_sample(actor=actor, name="coffee"),
    "upload by link": lambda actor: claim(actor, sent(actor).id),
}


def raising(error: BaseException) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


EACH_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@EACH_WAY
@pytest.mark.parametrize("error", [IntegrityError("twice"), KeyboardInterrupt("stopped")], ids=repr)
def test_an_image_whose_row_cannot_be_written_leaves_no_files(
    committed: None, monkeypatch: pytest.MonkeyPatch, way: Callable[[Actor], Any], error: BaseException
) -> None:
    actor = make_actor()
    monkeypatch.setattr(Image.objects, "create", raising(error))
    with pytest.raises(type(error)):
        way(actor)
    assert [path for path in stored_files() if "incoming" not in path.parts] == []


def test_a_mask_whose_row_cannot_be_written_leaves_no_files(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor(balance=10)
    source = make_image(actor)
    before = stored_files()
    monkeypatch.setattr(Image.objects, "create", raising(IntegrityError("twice")))
    request = NewEdit(prompt="a", image_ids=(source.id,), mask=photo(colour="white"))
    with pytest.raises(IntegrityError):
        jobs.submit(actor=actor, request=request)
    assert stored_files() == before


def test_a_failed_cleanup_does_not_hide_the_original_error(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor()
    monkeypatch.setattr(Image.objects, "create", raising(IntegrityError("twice")))
    monkeypatch.setattr(store, "delete", raising(PermissionError()))
    with pytest.raises(IntegrityError, match="twice"):
        make_image(actor)


def test_files_are_kept_when_the_connection_is_lost_after_the_commit(
    committed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = make_actor()
    create = images.create

    def create_and_fail(**fields: Any) -> None:
        create(**fields)
        raise OperationalError("the connection is lost")

    monkeypatch.setattr(images, "create", create_and_fail)
    with pytest.raises(OperationalError):
        make_image(actor)
    image = Image.objects.latest("created_at")
    assert store.read(image.storage_name)


def test_only_editors_upload_images() -> None:
    workspace = make_workspace()
    viewer = make_actor(workspace, user=make_member(workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        make_image(viewer)
    with pytest.raises(PermissionDenied):
        images.find_or_add_sample(actor=viewer, name="coffee")


@pytest.mark.parametrize("name", images.SAMPLES)
def test_each_sample_exists_and_is_copied_once(actor: Actor, name: str) -> None:
    first = images.find_or_add_sample(actor=actor, name=name)
    assert images.find_or_add_sample(actor=actor, name=name) == first
    assert (first.from_sample, first.original_name) == (True, f"{name}.jpg")


def test_an_upload_with_a_samples_name_is_not_the_sample(actor: Actor) -> None:
    own = images.upload(actor=actor, content=photo(), name="coffee.jpg")
    assert images.find_or_add_sample(actor=actor, name="coffee") != own


def test_a_workspace_has_one_copy_of_each_sample(actor: Actor) -> None:
    other = make_actor(actor.workspace, user=make_member(actor.workspace))
    first = images.find_or_add_sample(actor=actor, name="coffee")
    assert images.find_or_add_sample(actor=other, name="coffee") == first
    assert images.find_or_add_sample(actor=make_actor(name="Others"), name="coffee") != first


def test_a_sample_in_the_trash_is_not_reused(actor: Actor) -> None:
    first = images.find_or_add_sample(actor=actor, name="coffee")
    trash.discard(actor=actor, images=[first])
    second = images.find_or_add_sample(actor=actor, name="coffee")
    assert second != first
    assert images.find_or_add_sample(actor=actor, name="coffee") == second


def test_concurrent_clicks_on_a_sample_make_one_image(committed: None) -> None:
    actor = make_actor()

    async def click() -> Image:
        return await in_thread(images.find_or_add_sample, actor=actor, name="coffee")

    async def clicks() -> list[Image]:
        return await asyncio.gather(*(click() for _ in range(15)))

    found = asyncio.run(clicks())
    assert len({image.pk for image in found}) == Image.objects.count() == 1
    assert len(stored_files()) == 1 + len(store.THUMBNAILS)


@pytest.mark.parametrize("name", ["", "..", "../../manage", "coffee-thumb", "coffee\0", "no-such"])
def test_unknown_sample_names_are_not_found(actor: Actor, name: str) -> None:
    with pytest.raises(NotFound):
        images.find_or_add_sample(actor=actor, name=name)


def test_results_are_the_next_versions_of_their_image(actor: Actor) -> None:
    source = add_image(actor.workspace)
    first = add_job(actor.workspace, parent=source)
    two = images.create_results(job=first, stored=[stored(), stored()])
    again = add_job(actor.workspace, parent=two[1])
    third = images.create_results(job=again, stored=[stored()])[0]
    assert [(image.version, image.position) for image in two] == [(2, 0), (3, 1)]
    assert (third.version, third.parent, third.root) == (4, two[1], source)


def test_the_first_result_without_a_source_is_the_root(actor: Actor) -> None:
    first, second = images.create_results(job=add_job(actor.workspace), stored=[stored(), stored()])
    assert (first.root, first.version, first.label) == (None, 1, "v1")
    assert (second.root, second.version, second.parent) == (first, 2, None)


def test_results_belong_to_the_member_who_requested_them(actor: Actor) -> None:
    job = add_job(actor.workspace, created_by=actor.user)
    result = images.create_results(job=job, stored=[stored()])[0]
    assert (result.created_by, result.workspace, result.job) == (actor.user, actor.workspace, job)


def test_edits_that_end_concurrently_get_distinct_versions(committed: None) -> None:
    actor = make_actor()
    source = add_image(actor.workspace)
    waiting = [add_job(actor.workspace, parent=source, price=0) for _ in range(8)]

    def complete(job: Job) -> None:
        try:
            outcomes.end_completed(job=job, stored=[stored()], seed=None)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(complete, waiting))
    versions = Image.objects.filter(root=source).order_by("version").values_list("version", flat=True)
    assert list(versions) == list(range(2, 10))


def test_edits_of_an_image_can_start_while_others_end(committed: None) -> None:
    """Both lock the account and the image: in different orders they would deadlock."""
    actor = make_actor(balance=1000)
    source = add_image(actor.workspace)

    def begin() -> Job:
        return jobs.submit(actor=actor, request=jobs.NewEdit(prompt="warmer", image_ids=(source.id,)))

    def end(job: Job) -> None:
        outcomes.end_completed(job=job, stored=[stored()], seed=None)

    def begin_and_end(number: int) -> None:
        try:
            for _ in range(8):
                end(begin())
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(begin_and_end, range(6)))
    assert Job.objects.filter(status=Status.COMPLETED).count() == 48
    assert Image.objects.filter(root=source).count() == 48


def test_a_completion_that_fails_stores_no_result(actor: Actor) -> None:
    source = add_image(actor.workspace)
    job = add_job(actor.workspace, parent=source, price=0)
    add_completed(actor.workspace, source, version=2, user=actor.user)
    twice = stored()
    with pytest.raises(IntegrityError), transaction.atomic():
        outcomes.end_completed(job=job, stored=[twice, twice], seed=None)
    job.refresh_from_db()
    assert job.is_live
    assert Image.objects.filter(job=job).count() == 0
