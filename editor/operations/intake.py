"""Turns a request into a job, for every API.

The order is always the same. First the checks that cost nothing: permissions, an identical earlier request,
free storage, model and options, images by their ids, limits and credits. Then images in the request are
decoded, and only then is anything fetched. Images become rows in the transaction that creates the job: a
refused request leaves none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from editor import disk
from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency.per_loop import PerLoop
from editor.concurrency.semaphore import FairSemaphore
from editor.concurrency.threads import in_storage_thread, in_thread, to_its_end
from editor.errors import InvalidInput
from editor.media import limits, store
from editor.media.codec import CleanImage
from editor.media.inputs import Base64, File, ImageInput, Link, NewImage, Sample
from editor.media.limits import BadImage
from editor.models import Job
from editor.net import fetch
from editor.operations import idempotency, images, jobs, storage, uploads
from editor.operations.images import Stored
from editor.operations.jobs import NewEdit

# Per process; each image is held in memory until it is stored.
DECODED_AT_ONCE = 4
FETCHED_AT_ONCE = 8

_LIMITS = fetch.Limits(content_bytes=limits.MAX_BYTES)
_decode_slots = PerLoop(lambda: FairSemaphore(DECODED_AT_ONCE))
_fetch_slots = PerLoop(lambda: FairSemaphore(FETCHED_AT_ONCE))

# Images in the request are decoded before anything is fetched; samples are copied last.
_ORDER: list[type[ImageInput]] = [File, Base64, UUID, Link, Sample]


@dataclass(frozen=True, slots=True)
class Submission:
    """An edit with its images, as an API parsed its request; nothing in it has been checked yet.

    edit              all but the images
    images            the one to edit, then references
    mask              for the first image: white = change
    transparent_mask  the mask is a PNG that is transparent where the image may change
    sent_again        a retry: the caller got no response to the same request before
    """

    edit: NewEdit
    images: tuple[ImageInput, ...] = ()
    mask: ImageInput | None = None
    transparent_mask: bool = False
    sent_again: bool = False

    def close(self) -> None:
        for image in (*self.images, self.mask):
            if isinstance(image, File | Base64):
                image.content.close()


class WrongImage(InvalidInput):
    """One of the request's images cannot be used because of `cause`. `index`: from 0; None for the mask."""

    def __init__(self, cause: InvalidInput, *, index: int | None) -> None:
        super().__init__(cause.message, fields=cause.fields)
        self.cause = cause
        self.index = index


async def submit(
    *, actor: Actor, submission: Submission, before_images: Callable[[], Awaitable[None]] | None = None
) -> Job:
    """The job of this request; one that an identical earlier request started is marked as `repeated`.

    before_images  called once all free checks have passed; it may still refuse the request

    Closes the submission's files. Raises EditorError, WrongImage for one of the images; no job exists
    then, nothing was charged, and no new image was kept except the caller's uploads and samples.
    """
    saved: list[Stored] = []
    used = False
    try:
        if repeated := await in_thread(_check, actor, submission, before_images is not None):
            return repeated
        if before_images:
            await before_images()
        image_ids = await _take_images(actor, submission, saved)
        job = await _start(actor, submission, replace(submission.edit, image_ids=image_ids), saved)
        used = not job.repeated
        return job
    finally:
        submission.close()
        if saved and not used:
            await asyncio.shield(in_storage_thread(images.discard_unnamed, stored=saved))


async def add(*, actor: Actor, image: NewImage) -> UUID:
    """Add an image to the workspace, without an edit.

    Raises PermissionDenied, InvalidInput, StorageFull or DiskFull.
    """
    actor.require(Permission.EDIT)
    await in_thread(storage.check, workspace=actor.workspace)
    async with _cleaned(actor, image) as clean:
        return (await in_storage_thread(images.add, actor=actor, clean=clean, name=image.name or "image")).id


def _check(actor: Actor, submission: Submission, more_to_do: bool) -> Job | None:
    """The job of an identical earlier request, or None. Raises the errors that cost nothing to detect."""
    actor.require(Permission.EDIT)
    edit, mask = submission.edit, submission.mask
    if repeated := idempotency.find_repeat(
        actor=actor,
        key=edit.idempotency_key or "",
        request_hash=edit.request_hash,
        sent_again=submission.sent_again,
    ):
        return repeated
    known = _known(actor, submission.images)
    if not (more_to_do or mask or len(known) < len(submission.images)):
        return None  # `jobs.submit` comes next, and checks the same
    lookups.images(actor, _known(actor, (mask,)))
    request = replace(edit, image_ids=known)
    jobs.check(actor=actor, request=request, images=len(submission.images), mask=mask is not None)
    return None


def _known(actor: Actor, inputs: tuple[ImageInput | None, ...]) -> tuple[UUID, ...]:
    """The ids among these, except those of uploads, which are not images yet."""
    ids = [each for each in inputs if isinstance(each, UUID)]
    waiting = {upload.id for upload in lookups.uploads(actor, ids)} if ids else set()
    return tuple(each for each in ids if each not in waiting)


async def _take_images(actor: Actor, submission: Submission, saved: list[Stored]) -> tuple[UUID, ...]:
    """The ids of the request's images, in order. The files of new ones are added to `saved`."""
    mask = submission.mask
    with _of_image(None):
        if isinstance(mask, UUID):
            await uploads.claim(actor=actor, image_ids=[mask])
        elif isinstance(mask, File | Base64) and any(isinstance(each, Link) for each in submission.images):
            async with _cleaned(actor, mask):
                pass  # otherwise it is decoded on use, but nothing is fetched for a request with a bad mask
    taken: dict[int, UUID] = {}
    for index, image in sorted(enumerate(submission.images), key=lambda item: _ORDER.index(type(item[1]))):
        with _of_image(index):
            taken[index] = await _take_image(actor, image, saved)
    return tuple(taken[index] for index in sorted(taken))


async def _take_image(actor: Actor, image: ImageInput, saved: list[Stored]) -> UUID:
    if isinstance(image, UUID):
        await uploads.claim(actor=actor, image_ids=[image])
        return image
    if isinstance(image, Sample):
        return (await in_storage_thread(images.find_or_add_sample, actor=actor, name=image.name)).id
    async with _cleaned(actor, image) as clean:
        # A caller who disconnects leaves no files: everything written is added to `saved`.
        return await to_its_end(in_storage_thread(_save, actor, clean, image.name or "image", saved))


def _save(actor: Actor, clean: CleanImage, name: str, saved: list[Stored]) -> UUID:
    disk.check()
    with disk.explained():
        stored = images.save(workspace_id=actor.workspace.id, clean=clean, name=name)
    saved.append(stored)
    return stored.id


async def _start(actor: Actor, submission: Submission, edit: NewEdit, saved: list[Stored]) -> Job:
    """Submit the edit, with its mask if it has one."""
    mask = submission.mask
    if mask is None:
        return await to_its_end(in_thread(jobs.submit, actor=actor, request=edit, new_images=saved))
    with _of_image(None):
        async with _slot(actor, mask):
            content = await _content(actor, mask)
            if submission.transparent_mask:
                content = await store.mask_from_transparency(content, tenant=str(actor.workspace.id))
            edit = replace(edit, mask=content)
            return await to_its_end(
                in_storage_thread(jobs.submit, actor=actor, request=edit, new_images=saved)
            )


@asynccontextmanager
async def _cleaned(actor: Actor, image: NewImage) -> AsyncIterator[CleanImage]:
    """The checked image. Holds a slot for as long as it is in memory."""
    async with _slot(actor, image):
        yield await store.aclean(await _content(actor, image), tenant=str(actor.workspace.id))


async def _content(actor: Actor, image: ImageInput) -> bytes:
    match image:
        case File() | Base64():
            return await asyncio.to_thread(image.read)
        case Link():
            return (await fetch.fetch(image.url, limits=_LIMITS))[0]
        case Sample():
            row = await in_thread(images.find_or_add_sample, actor=actor, name=image.name)
        case UUID():
            row = await in_thread(lookups.image, actor, image)
    return await in_storage_thread(store.read, row.storage_name)


def _slot(actor: Actor, image: ImageInput) -> AbstractAsyncContextManager[None]:
    """Workspaces take turns. Fetched images have slots of their own: other servers may be slow."""
    slots = _fetch_slots if isinstance(image, Link) else _decode_slots
    return slots.get().slot(str(actor.workspace.id))


@contextmanager
def _of_image(index: int | None) -> Iterator[None]:
    """Raise WrongImage with this index for an image that cannot be used."""
    try:
        yield
    except (BadImage, fetch.NotFetched) as error:
        raise WrongImage(error, index=index) from error
