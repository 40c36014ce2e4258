"""The trash."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts import pictures
from editor.contexts.directions import isolated
from editor.contexts.gallery import who
from editor.models import Image, Workspace
from editor.queries import gallery, storage
from editor.queries.gallery import Position


@dataclass(frozen=True, slots=True)
class TrashTile:
    id: UUID
    thumb_url: str
    srcset: str
    sizes: str
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trash:
    tiles: list[TrashTile]
    older_url: str | None
    may_edit: bool
    storage: str
    keeps_some: bool
    kept_days: int


def trash_page(actor: Actor, *, after: Position | None) -> Trash:
    found = gallery.trash(actor.workspace, after)
    page = found[: gallery.PAGE]
    older_url = None
    if len(found) > len(page):
        last = page[-1]
        assert last.trashed_at is not None
        older_url = (
            f"{reverse('trash', args=[actor.workspace.slug])}?older={Position(last.trashed_at, last.pk)}"
        )
    tiles = [_tile(actor.workspace, image) for image in page]
    return Trash(
        tiles,
        older_url,
        actor.may(Permission.EDIT),
        _storage(actor),
        keeps_some=gallery.kept_in_trash(actor.workspace) > 0,
        kept_days=actor.workspace.trash_days,
    )


def moved_message(images: Sequence[Image]) -> str:
    """The message after images were moved to the trash."""
    used = gallery.used_by_characters(images)
    if len(images) == 1:
        return f"Moved to the trash. {_use(used[0])}" if used else "Moved to the trash."
    message = f"{len(images)} images moved to the trash."
    return f"{message} Characters still use {len(used)} of them." if used else message


def emptied_message(actor: Actor, count: int) -> str:
    """The message after `count` images were deleted from the trash."""
    message = "1 image deleted." if count == 1 else f"{count:,} images deleted."
    kept = gallery.kept_in_trash(actor.workspace)
    return f"{message} Kept for characters: {kept:,}." if kept else message


def _storage(actor: Actor) -> str:
    usage = storage.usage(actor.workspace)
    if usage.allowed is None:
        return f"{filesizeformat(usage.used)} of storage used."
    return f"{filesizeformat(usage.used)} of {filesizeformat(usage.allowed)} used, including the trash."


def _tile(workspace: Workspace, image: Image) -> TrashTile:
    assert image.trashed_at is not None
    rest = image.trashed_at + timedelta(days=workspace.trash_days) - timezone.now()
    days = max(1, math.ceil(rest / timedelta(days=1)))
    left = f"{days} day{'s' if days > 1 else ''} left"
    url = reverse("trashed_file", args=[workspace.slug, image.pk])
    return TrashTile(
        id=image.pk,
        thumb_url=url,
        srcset=pictures.srcset(
            [("512", url), ("1280", f"{url}?large")], width=image.width, height=image.height
        ),
        sizes=pictures.sizes_covering(width=image.width, height=image.height),
        title=image.job.prompt if image.job else image.original_name or "Image",
        detail=f"{_use(image) or left} · {isolated(who(image.trashed_by))}",
    )


def _use(image: Image) -> str:
    """A sentence about the characters that use it; "" if none does."""
    names = sorted({character.name for character in image.characters.all()})
    if len(names) == 1:
        return f"The character {isolated(names[0])} still uses it."
    return f"{len(names)} characters still use it." if names else ""
