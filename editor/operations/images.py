"""Adds images: uploads, samples, masks and results. All are checked first."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import TypeVar

from django.contrib.staticfiles import finders
from django.db import transaction
from django.db.models import Max

from editor import disk
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.errors import NotFound
from editor.media import store
from editor.media.codec import CleanImage
from editor.models import Image, Job
from editor.operations import orphans, storage
from editor.transient import DATABASE_LOST

log = logging.getLogger("editor.storage")

ImageOrNone = TypeVar("ImageOrNone", Image, Image | None)

SAMPLES = {"coffee": "Coffee", "cat": "Cat", "portrait": "Portrait", "rocket": "Rocket"}


@dataclass(frozen=True, slots=True)
class Stored:
    """A checked image whose bytes are in the store, but that has no row yet. Sizes are in bytes.

    name  the sender's file name
    """

    id: uuid.UUID
    storage_name: str
    content_type: str
    width: int
    height: int
    size: int
    thumbnail_size: int = 0
    name: str = ""


def upload(
    *,
    actor: Actor,
    content: bytes,
    name: str,
    kind: Image.Kind = Image.Kind.SOURCE,
) -> Image:
    """Add a person's file. Raises BadImage, with a message for that person, StorageFull and DiskFull."""
    actor.require(Permission.EDIT)
    storage.check(workspace=actor.workspace)
    threads.release()
    clean = store.clean(content, tenant=str(actor.workspace.id))
    return add(actor=actor, clean=clean, name=name, kind=kind)


def add(*, actor: Actor, clean: CleanImage, name: str, kind: Image.Kind = Image.Kind.SOURCE) -> Image:
    """Add an image that has been checked already. Raises StorageFull and DiskFull."""
    actor.require(Permission.EDIT)
    disk.check()
    image = save_with_row(
        workspace_id=actor.workspace.id,
        clean=clean,
        name=name,
        insert=lambda stored: create(
            stored=stored, workspace_id=actor.workspace.id, created_by_id=actor.user.pk, kind=kind
        ),
    )
    image.original_size = clean.original_size
    return image


def save_with_row(
    *,
    workspace_id: uuid.UUID,
    clean: CleanImage,
    name: str,
    insert: Callable[[Stored], ImageOrNone],
    image_id: uuid.UUID | None = None,
) -> ImageOrNone:
    """Write a checked image, then its row. The files are deleted again unless a row refers to them.

    name      the sender's file name
    insert    writes the row; returns None or another image if this one turns out not to be needed
    image_id  as in `save`

    Raises DiskFull, and what `insert` raises.
    """
    with disk.explained():
        stored = save(workspace_id=workspace_id, clean=clean, image_id=image_id, name=name)
        image = None
        try:
            image = insert(stored)
        finally:
            if image is None or image.storage_name != stored.storage_name:
                discard_unnamed(stored=[stored])
    return image


@transaction.atomic
def create(
    *,
    stored: Stored,
    workspace_id: uuid.UUID,
    created_by_id: uuid.UUID | None,
    kind: Image.Kind = Image.Kind.SOURCE,
    from_sample: bool = False,
) -> Image:
    """The row of a checked image.

    Raises StorageFull; the caller must delete the files then.
    """
    account = storage.lock(workspace_id=workspace_id)
    storage.check_room(account=account, size=stored.size + stored.thumbnail_size)
    return Image.objects.create(
        id=stored.id,
        workspace_id=workspace_id,
        created_by_id=created_by_id,
        kind=kind,
        storage_name=stored.storage_name,
        original_name=file_name(stored.name),
        from_sample=from_sample,
        content_type=stored.content_type,
        width=stored.width,
        height=stored.height,
        size=stored.size,
        thumbnail_size=stored.thumbnail_size,
    )


def find_or_add_sample(*, actor: Actor, name: str) -> Image:
    """One of the shipped photographs as an image of the workspace; copied on its first use.

    Raises as `upload` does.
    """
    actor.require(Permission.EDIT)
    path = finders.find(f"samples/{name}.jpg") if name in SAMPLES else None
    if not isinstance(path, str):
        raise NotFound("There is no such sample image.")
    if image := _sample(actor, name):
        return image
    storage.check(workspace=actor.workspace)
    threads.release()
    clean = store.clean(Path(path).read_bytes(), tenant=str(actor.workspace.id))
    return save_with_row(
        workspace_id=actor.workspace.id,
        clean=clean,
        name=f"{name}.jpg",
        insert=partial(_create_sample, actor, name),
    )


def _sample(actor: Actor, name: str) -> Image | None:
    samples = Image.objects.filter(
        workspace=actor.workspace, from_sample=True, original_name=f"{name}.jpg", trashed_at=None
    )
    return samples.order_by("created_at").first()


@transaction.atomic
def _create_sample(actor: Actor, name: str, stored: Stored) -> Image:
    """The row of the sample, or the one that a concurrent request has created."""
    storage.lock(workspace_id=actor.workspace.id)
    return _sample(actor, name) or create(
        stored=stored,
        workspace_id=actor.workspace.id,
        created_by_id=actor.user.pk,
        from_sample=True,
    )


def save_mask(*, actor: Actor, content: bytes, source: Image | Stored) -> Stored:
    """Write a painted mask, scaled to the size of `source`: white = change. Raises BadImage and DiskFull."""
    threads.release()
    mask = store.clean_mask(content, source.width, source.height, tenant=str(actor.workspace.id))
    image_id = uuid.uuid4()
    stored = Stored(
        id=image_id,
        storage_name=store.new_name(actor.workspace.id, image_id, "png"),
        content_type="image/png",
        width=source.width,
        height=source.height,
        size=len(mask),
    )
    with disk.explained():
        store.save(stored.storage_name, mask, stored.content_type)
    return stored


def save(
    *, workspace_id: uuid.UUID, clean: CleanImage, image_id: uuid.UUID | None = None, name: str = ""
) -> Stored:
    """Write a checked image and its thumbnails under a name that cannot be guessed.

    image_id  an id that was assigned before; by default a new one

    Raises OSError when the disk is full, and leaves nothing behind then.
    """
    image_id = image_id or uuid.uuid4()
    storage_name = store.new_name(workspace_id, image_id, clean.content_type.removeprefix("image/"))
    thumbnail_size = store.save_image(storage_name, clean)
    return Stored(
        id=image_id,
        storage_name=storage_name,
        content_type=clean.content_type,
        width=clean.width,
        height=clean.height,
        size=len(clean.content),
        thumbnail_size=thumbnail_size,
        name=name,
    )


def discard(*, stored: list[Stored]) -> None:
    """Delete files that no row will refer to. Files that cannot be deleted are left to orphans.py."""
    for item in stored:
        orphans.try_to_delete(store.delete_all, item.storage_name)


def discard_unnamed(*, stored: list[Stored]) -> None:
    """`discard` those that no row refers to, after a commit whose outcome is unknown.

    If the database is unreachable, none is deleted: see orphans.py.
    """
    try:
        names = [item.storage_name for item in stored]
        named = set(Image.objects.filter(storage_name__in=names).values_list("storage_name", flat=True))
    except DATABASE_LOST as error:
        log.warning("%s files without a row are left to the sweep: %s", len(stored), error)
        return
    discard(stored=[item for item in stored if item.storage_name not in named])


def create_results(*, job: Job, stored: list[Stored]) -> list[Image]:
    """Rows for a job's results, as the next versions in the edit tree of its parent.

    Belongs to the transaction that ends the job. The quota does not apply: the work has been done.
    """
    root_id = (job.parent.root_id or job.parent_id) if job.parent else None
    version = 0
    if root_id:
        # Two edits of one image may end together; each version number is assigned once. The lock
        # still lets new edits refer to the image, or they would wait for each other.
        Image.objects.select_for_update(no_key=True).get(pk=root_id)
        version = Image.objects.filter(root=root_id).aggregate(newest=Max("version"))["newest"] or 1
    results: list[Image] = []
    for position, item in enumerate(stored):
        version += 1
        results.append(
            Image.objects.create(
                id=item.id,
                workspace_id=job.workspace_id,
                created_by_id=job.created_by_id,
                kind=Image.Kind.RESULT,
                storage_name=item.storage_name,
                content_type=item.content_type,
                width=item.width,
                height=item.height,
                size=item.size,
                thumbnail_size=item.thumbnail_size,
                job=job,
                position=position,
                parent_id=job.parent_id,
                root_id=root_id,
                version=version,
            )
        )
        root_id = root_id or results[0].id
    return results


def file_name(name: str) -> str:
    """The last path component of the sender's file name, without control characters."""
    last = PurePath(name.replace("\\", "/")).name
    return "".join(character for character in last if character.isprintable())[:255]
