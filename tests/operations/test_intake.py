"""The images sent with a request become images of the workspace, and the request a job."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from django.db import transaction

from editor import disk
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.errors import DiskFull, EditorError, PermissionDenied
from editor.media import limits, store
from editor.media.codec import CleanImage
from editor.media.inputs import File, Link, Sample
from editor.media.limits import BadImage
from editor.models import Image, Job, JobImage, Role
from editor.net import policy
from editor.net.fetch import NotFetched
from editor.operations import credits, intake, storage
from editor.operations.intake import FETCHED_AT_ONCE, Submission, WrongImage
from editor.operations.jobs import NewEdit
from tests.conftest import let_database_work_end
from tests.factories import make_actor, make_image, make_member, make_workspace, photo
from tests.net.fetching import Authority
from tests.operations.upload_files import sent, stored_files
from tests.patience import PATIENCE, somebody_waits_for_our_locks, until, wait_until
from tests.providers.hostile import Write, answers, hangs, hostile

save_image = store.save_image
picture = answers(photo(), content_type="image/png")


EDIT = NewEdit(prompt="a harbour", model="black-forest-labs/flux-2-pro")


def file(content: bytes | None = None, name: str = "a.png") -> File:
    return File(name, io.BytesIO(photo() if content is None else content))


def roles(job: Job) -> list[tuple[str, str]]:
    """The job's images, each as its role and the file name that its sender gave."""
    places = JobImage.objects.filter(job=job).select_related("image").order_by("position")
    return [(place.role, place.image.original_name) for place in places]


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    policy.allow(["127.0.0.1"])
    yield
    policy.allow([])


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """The certificate authority that the portal trusts."""
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.pem))
    return authority


@pytest.fixture
def actor(committed: None) -> Actor:
    return make_actor()


@pytest.fixture
def actors(committed: None) -> tuple[Actor, Actor]:
    return make_actor(), make_actor(make_workspace(name="Other"))


async def test_many_slow_downloads_of_a_workspace_do_not_delay_another(
    actors: tuple[Actor, Actor], authority: Authority
) -> None:
    busy, other = actors
    two_end, more = asyncio.Event(), asyncio.Event()

    async def slow(writer: Write) -> None:
        await more.wait()
        await picture(writer)

    async def first(writer: Write) -> None:
        await two_end.wait()
        await picture(writer)

    async with (
        hostile(first, first, slow, tls=authority.server("127.0.0.1")) as server,
        hostile(picture, tls=authority.server("127.0.0.1")) as quick,
    ):
        calls = [
            asyncio.create_task(intake.add(actor=busy, image=Link(server.url)))
            for _ in range(2 * FETCHED_AT_ONCE)
        ]
        await until(lambda: len(server.requests) >= FETCHED_AT_ONCE)
        one = asyncio.create_task(intake.add(actor=other, image=Link(quick.url)))
        slots = intake._fetch_slots.get()
        await until(lambda: str(other.workspace.id) in slots._waiting)  # behind all others
        two_end.set()  # one slot for the first in line, then one for the other workspace
        await asyncio.wait_for(one, PATIENCE)
        more.set()
        assert len(set(await asyncio.gather(*calls))) == 2 * FETCHED_AT_ONCE


async def test_a_failed_or_canceled_download_releases_its_slot(actor: Actor, authority: Authority) -> None:
    async def never(writer: Write) -> None:
        await asyncio.Event().wait()

    missing = answers(status="404 Not Found")
    ends = [*[never] * FETCHED_AT_ONCE, *[missing] * FETCHED_AT_ONCE, picture]
    async with hostile(*ends, tls=authority.server("127.0.0.1")) as server:

        def fetched() -> asyncio.Task[UUID]:
            return asyncio.create_task(intake.add(actor=actor, image=Link(server.url)))

        calls = [fetched() for _ in range(FETCHED_AT_ONCE)]
        await until(lambda: len(server.requests) >= FETCHED_AT_ONCE)
        for call in calls:
            call.cancel()
        canceled = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in canceled)
        for _ in range(FETCHED_AT_ONCE):
            with pytest.raises(NotFetched):
                await fetched()
        await asyncio.wait_for(fetched(), PATIENCE)


async def test_images_of_every_kind_keep_their_order(actor: Actor, authority: Authority) -> None:
    known = await in_thread(make_image, actor)
    upload = await in_thread(lambda: sent(actor, file_name="sent.png").id)
    async with hostile(picture, tls=authority.server("127.0.0.1")) as server:
        images = (Sample("cat"), Link(f"{server.url}/far.png"), known.id, upload, file())
        job = await intake.submit(actor=actor, submission=Submission(edit=EDIT, images=images, mask=file()))
    names = ["cat.jpg", "far.png", "photo.png", "sent.png", "a.png"]
    reported = await in_thread(roles, job)
    assert reported == [("source", names[0]), *(("reference", name) for name in names[1:]), ("mask", "")]


async def test_a_mask_is_not_a_source_image(actor: Actor) -> None:
    submission = Submission(edit=EDIT, images=(file(),), mask=file(photo(colour="white")))
    await intake.submit(actor=actor, submission=submission)
    kinds = await in_thread(lambda: sorted(Image.objects.values_list("kind", flat=True)))
    assert kinds == [Image.Kind.MASK, Image.Kind.SOURCE]


@pytest.mark.parametrize(
    ("images", "mask", "index"),
    [(["good", "bad"], "good", 1), (["good"], "bad", None), (["good"], "of another shape", None)],
)
async def test_a_bad_image_is_reported_by_its_position_and_all_files_are_closed(
    actor: Actor, images: list[str], mask: str, index: int | None
) -> None:
    content = {"good": photo(), "bad": photo()[:120], "of another shape": photo(width=10)}
    files = [file(content[name]) for name in (*images, mask)]
    submission = Submission(edit=EDIT, images=tuple(files[:-1]), mask=files[-1])
    with pytest.raises(WrongImage) as refused:
        await intake.submit(actor=actor, submission=submission)
    assert refused.value.index == index
    assert isinstance(refused.value.cause, BadImage)
    assert all(each.content.closed for each in files)
    assert await in_thread(stored_files) == []


async def test_nothing_is_fetched_when_the_mask_cannot_be_opened(actor: Actor, authority: Authority) -> None:
    async with hostile(picture, tls=authority.server("127.0.0.1")) as server:
        submission = Submission(edit=EDIT, images=(Link(server.url),), mask=file(photo()[:120]))
        with pytest.raises(WrongImage, match="damaged"):
            await intake.submit(actor=actor, submission=submission)
        assert server.requests == []


async def test_a_caller_who_disconnects_leaves_nothing(actor: Actor, authority: Authority) -> None:
    async with hostile(hangs, tls=authority.server("127.0.0.1")) as server:
        submission = Submission(edit=EDIT, images=(Link(server.url), file()))
        call = asyncio.create_task(intake.submit(actor=actor, submission=submission))
        await until(lambda: server.requests)
        assert stored_files()  # of the image that was sent with the request
        call.cancel()
        await asyncio.wait({call}, timeout=PATIENCE)
        assert call.cancelled()
    let_database_work_end()
    assert stored_files() == []
    assert not await in_thread(Image.objects.exists)


async def test_no_further_image_is_written_when_the_disk_runs_low(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []

    def save(name: str, clean: CleanImage) -> int:
        written.append(name)
        return save_image(name, clean)

    monkeypatch.setattr(store, "save_image", save)
    monkeypatch.setattr(disk, "is_low", lambda: bool(written))
    with pytest.raises(DiskFull):
        await intake.submit(actor=actor, submission=Submission(edit=EDIT, images=(file(), file(), file())))
    assert len(written) == 1
    assert await in_thread(stored_files) == []


async def test_concurrent_identical_requests_make_one_job_with_one_image(actor: Actor) -> None:
    edit = replace(EDIT, idempotency_key="k", request_hash="h")
    submissions = [Submission(edit=edit, images=(file(),), mask=file()) for _ in range(6)]
    jobs = await asyncio.gather(*(intake.submit(actor=actor, submission=each) for each in submissions))
    assert len({job.id for job in jobs}) == 1
    assert [job.repeated for job in jobs].count(False) == 1
    assert await in_thread(Image.objects.count) == 2
    assert len(stored_files()) == 5  # the image, its thumbnails, and the mask


@pytest.mark.parametrize("key", ["k", None])
async def test_a_repeated_request_is_answered_before_any_checks(actor: Actor, key: str | None) -> None:
    edit = replace(EDIT, idempotency_key=key, request_hash="h")
    first = await intake.submit(actor=actor, submission=Submission(edit=edit))
    await in_thread(credits.adjust, workspace=actor.workspace, amount=-94, actor=None, note="spent")
    again = Submission(edit=edit, images=(file(b"?"),), sent_again=True)
    repeated = await intake.submit(actor=actor, submission=again)
    assert (repeated.id, repeated.repeated) == (first.id, True)


async def test_before_images_runs_after_the_free_checks_and_can_refuse(actor: Actor) -> None:
    async def refuse() -> None:
        raise PermissionDenied("No.")

    submission = Submission(edit=EDIT, images=(file(b"?"),))
    with pytest.raises(PermissionDenied):
        await intake.submit(actor=actor, submission=submission, before_images=refuse)
    wrong = Submission(edit=replace(EDIT, prompt=""), images=(file(b"?"),))
    with pytest.raises(EditorError, match="Describe what"):
        await intake.submit(actor=actor, submission=wrong, before_images=refuse)


async def test_a_viewer_cannot_add_an_image(actor: Actor) -> None:
    viewer = await in_thread(
        lambda: make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    )
    with pytest.raises(PermissionDenied):
        await intake.add(actor=viewer, image=file(b"?"))


async def test_a_linked_image_has_the_size_limit_of_a_file(actor: Actor, authority: Authority) -> None:
    large = answers(b"", length=limits.MAX_BYTES + 1, content_type="image/png")
    async with hostile(large, tls=authority.server("127.0.0.1")) as server:
        with pytest.raises(NotFetched, match="limit is 25 MiB"):
            await intake.add(actor=actor, image=Link(server.url))


async def test_a_job_that_ends_meanwhile_does_not_deadlock(actor: Actor) -> None:
    """A job's end locks its storage account first, then its credits."""
    locked = threading.Event()

    def end_slowly() -> None:
        with transaction.atomic():
            storage.lock(workspace_id=actor.workspace.pk)
            locked.set()
            wait_until(somebody_waits_for_our_locks)
            credits.lock_account(workspace_id=actor.workspace.pk)

    submission = Submission(edit=EDIT, images=(file(),))
    ended = asyncio.create_task(in_thread(end_slowly))
    assert await asyncio.to_thread(locked.wait, PATIENCE)
    await intake.submit(actor=actor, submission=submission)
    await ended
