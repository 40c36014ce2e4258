"""A workspace stores no more than its plan allows, also under concurrency."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F, Sum
from django.utils import timezone

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.errors import StorageFull
from editor.media import store
from editor.media.limits import MAX_BYTES
from editor.models import CreditAccount, Image, Job, Plan, Status, StorageAccount, Upload
from editor.operations import images, jobs, queue, trash, uploads
from editor.operations.jobs import NewEdit
from editor.queries import storage
from tests.factories import limit_storage, make_actor, make_image, photo
from tests.operations.upload_files import announce, claim, expire, send, sent, stored_files

pytestmark = pytest.mark.usefixtures("committed")

MEGABYTE = 1024 * 1024


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def stored(actor: Actor) -> int:
    """Bytes by the workspace's account, which must equal the sum of its rows."""
    count = StorageAccount.objects.get(workspace=actor.workspace).stored
    kept = Image.objects.filter(workspace=actor.workspace, purged_at=None)
    assert count == (kept.aggregate(total=Sum(F("size") + F("thumbnail_size")))["total"] or 0)
    return count


def bytes_on_disk() -> int:
    return sum(path.stat().st_size for path in stored_files())


def add_kilobyte(actor: Actor) -> int:
    """Add a small image and return its bytes with thumbnails."""
    before = bytes_on_disk()
    make_image(actor)
    return bytes_on_disk() - before


def edit(actor: Actor, **fields: Any) -> Job:
    return jobs.submit(actor=actor, request=NewEdit(prompt="make it black and white", **fields))


def run(job: Job) -> Job:
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    return job


def at_once(work: Callable[[], Any], times: int) -> list[Any]:
    """Run `work` concurrently `times` times and return the results and exceptions."""

    async def all_of_them() -> list[Any]:
        return await asyncio.gather(*(in_thread(work) for _ in range(times)), return_exceptions=True)

    return asyncio.run(all_of_them())


def test_a_new_plan_has_a_quota() -> None:
    assert Plan.objects.create(name="New").storage_bytes == 10 * 1024**3


def test_every_kind_of_file_counts_with_its_thumbnails(actor: Actor) -> None:
    source = make_image(actor)
    reference = images.upload(
        actor=actor,
        content=photo(colour="blue"),
        name="b",
        kind=Image.Kind.REFERENCE,
    )
    images.find_or_add_sample(actor=actor, name="cat")
    claim(actor, sent(actor).id)
    run(edit(actor, tier="creative", image_ids=(source.id, reference.id)))
    job = edit(actor, model="black-forest-labs/flux-fill", image_ids=(source.id,), mask=photo())
    assert job.job_images.filter(role="mask").exists()
    assert stored(actor) == bytes_on_disk() > 0


def test_images_in_the_trash_count_until_it_is_emptied(actor: Actor) -> None:
    kept, gone = make_image(actor), make_image(actor)
    before = stored(actor)
    trash.discard(actor=actor, images=[gone])
    assert stored(actor) == before
    assert trash.empty(actor=actor) == 1
    assert stored(actor) == bytes_on_disk() == before // 2
    assert store.read(kept.storage_name)
    assert trash.empty(actor=actor) == 0


def test_purging_the_trash_frees_its_bytes(actor: Actor) -> None:
    make_image(actor)
    Image.objects.update(trashed_at=timezone.now() - timedelta(days=31))
    assert trash.purge() == 1
    assert stored(actor) == bytes_on_disk() == 0


def test_emptying_the_trash_keeps_images_that_running_edits_need(actor: Actor) -> None:
    source = make_image(actor)
    job = edit(actor, image_ids=(source.id,))
    trash.discard(actor=actor, images=[source])
    assert trash.empty(actor=actor) == 0
    assert run(job).status == Status.COMPLETED
    assert trash.empty(actor=actor) == 1


def test_emptying_the_trash_keeps_images_of_other_workspaces(actor: Actor) -> None:
    other = make_actor(name="Others")
    trash.discard(actor=other, images=[make_image(other)])
    assert trash.empty(actor=actor) == 0
    assert stored(other) > 0


@pytest.mark.parametrize("times", [12])
def test_concurrent_uploads_cannot_exceed_the_quota(actor: Actor, times: int) -> None:
    size = add_kilobyte(actor)
    room = 5
    limit_storage(actor.workspace, to=size * (1 + room) + size // 2)
    outcomes = at_once(lambda: make_image(actor), times)
    refused = [outcome for outcome in outcomes if isinstance(outcome, StorageFull)]
    assert len(refused) == times - room
    assert Image.objects.count() == 1 + room
    assert stored(actor) == bytes_on_disk() == size * (1 + room)


def test_concurrent_upload_links_cannot_exceed_the_quota(actor: Actor) -> None:
    limit_storage(actor.workspace, to=10 * MEGABYTE)
    outcomes = at_once(lambda: announce(actor, size=3 * MEGABYTE), 12)
    assert sum(isinstance(outcome, StorageFull) for outcome in outcomes) == 9
    assert storage.reserved(actor.workspace.pk) == 9 * MEGABYTE


def test_an_upload_link_reserves_its_bytes_until_it_is_used_or_expires(actor: Actor) -> None:
    limit_storage(actor.workspace, to=4 * MEGABYTE)
    first, second = (announce(actor, size=2 * MEGABYTE) for _ in range(2))
    with pytest.raises(StorageFull):
        make_image(actor)
    with pytest.raises(StorageFull):
        announce(actor, size=1)
    send(first, photo())
    claim(actor, first.image_id)
    assert storage.reserved(actor.workspace.pk) == 2 * MEGABYTE
    expire(second.image_id, seconds=1)
    assert storage.reserved(actor.workspace.pk) == 0
    make_image(actor)


def test_an_upload_link_without_a_size_reserves_the_largest_file(actor: Actor) -> None:
    limit_storage(actor.workspace, to=MAX_BYTES + 10)
    announce(actor)
    assert storage.reserved(actor.workspace.pk) == MAX_BYTES
    with pytest.raises(StorageFull):
        announce(actor, size=11)
    announce(actor, size=10)


def test_an_uploaded_file_reserves_its_size_until_it_is_used(actor: Actor) -> None:
    upload = sent(actor, b"x" * 5000)
    assert storage.reserved(actor.workspace.pk) == 5000
    expire(upload.id, hours=2)  # the file is still there
    assert storage.reserved(actor.workspace.pk) == 5000


def test_a_file_larger_than_announced_cannot_exceed_the_quota(actor: Actor) -> None:
    limit_storage(actor.workspace, to=4000)
    ticket = announce(actor, size=10)
    with pytest.raises(StorageFull):
        send(ticket, b"x" * 5000)
    assert not stored_files()
    assert Upload.objects.get().received_at is None
    send(ticket, b"x" * 4000)


def test_a_file_that_grows_when_it_is_processed_cannot_exceed_the_quota(actor: Actor) -> None:
    upload = sent(actor)
    assert upload.received_size is not None
    limit_storage(actor.workspace, to=upload.received_size)
    with pytest.raises(StorageFull):
        claim(actor, upload.id)
    assert [path.stat().st_size for path in stored_files()] == [upload.received_size]
    limit_storage(make_actor(name="Others").workspace, to=1)  # quotas are per workspace
    Plan.objects.filter(pk=actor.workspace.plan_id).update(storage_bytes=None)
    claim(actor, upload.id)
    assert stored(actor) == bytes_on_disk()


def test_a_refusal_names_the_full_storage_and_a_remedy_and_leaves_nothing(actor: Actor) -> None:
    before = add_kilobyte(actor)
    limit_storage(actor.workspace, to=before + 1)
    with pytest.raises(StorageFull) as caught:
        make_image(actor)
    text = caught.value.message
    assert "The workspace's storage is full" in text
    assert "Nothing was charged" in text
    assert "Empty the trash to free space" in text
    assert bytes_on_disk() == before


def test_a_full_workspace_starts_no_edits(actor: Actor) -> None:
    limit_storage(actor.workspace, to=add_kilobyte(actor))
    for refused in (
        lambda: edit(actor),
        lambda: jobs.check(actor=actor, request=NewEdit(prompt="a quiet harbour")),
    ):
        with pytest.raises(StorageFull):
            refused()
    assert not Job.objects.exists()
    assert CreditAccount.objects.get(workspace=actor.workspace).held == 0


def test_a_running_edit_completes_although_its_result_exceeds_the_quota(actor: Actor) -> None:
    source = make_image(actor)
    job = edit(actor, image_ids=(source.id,))
    limit_storage(actor.workspace, to=stored(actor))
    assert run(job).status == Status.COMPLETED
    assert stored(actor) == bytes_on_disk() > actor.workspace.plan.storage_bytes  # type: ignore[operator]
    with pytest.raises(StorageFull):
        edit(actor)


def test_a_plan_without_a_quota_counts_all_the_same(actor: Actor) -> None:
    limit_storage(actor.workspace, to=None)
    announce(actor)
    make_image(actor)
    assert stored(actor) == bytes_on_disk()


def test_a_mask_whose_submit_fails_is_not_counted(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    source = make_image(actor)
    before, with_mask = stored(actor), []

    def enqueue(*, job: Job, priority: int) -> None:
        with_mask.append(stored(actor))
        raise RuntimeError("no queue")

    monkeypatch.setattr(queue, "enqueue", enqueue)
    with pytest.raises(RuntimeError, match="no queue"):
        edit(actor, image_ids=(source.id,), mask=photo())
    assert with_mask[0] > before
    assert stored(actor) == bytes_on_disk() == before


def test_rows_deleted_in_bulk_are_uncounted(actor: Actor) -> None:
    make_image(actor)
    Image.objects.all().delete()
    assert stored(actor) == 0
    assert uploads.purge() == 0
