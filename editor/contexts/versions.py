"""A version of a picture, as pages and fragments show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.urls import reverse

from editor.media import links
from editor.models import Image, Workspace

DEEPEST = 2  # further branches are indented no more


@dataclass(frozen=True, slots=True)
class VersionView:
    id: UUID
    number: int
    label: str
    prompt: str
    url: str
    thumb_url: str
    preview_url: str
    full_url: str
    download_url: str
    width: int
    height: int
    alt: str
    credits: int
    depth: int = 0
    is_current: bool = False


def version_view(
    workspace: Workspace, image: Image, *, depth: int = 0, current: Image | None = None
) -> VersionView:
    """`image.job` must be loaded; no query is made here."""
    prompt = image.job.prompt if image.job else ""
    return VersionView(
        id=image.id,
        number=image.version,
        label=image.label,
        prompt=prompt,
        url=reverse("studio_version", args=[workspace.slug, image.id]),
        thumb_url=links.sign(image.id, "160"),
        preview_url=links.sign(image.id, "1280"),
        full_url=links.sign(image.id),
        download_url=links.sign(image.id, download=True),
        width=image.width,
        height=image.height,
        alt=f"{image.label}: {prompt}" if prompt else f"{image.label}: {image.original_name or 'photograph'}",
        credits=image.job.charged if image.job else 0,
        depth=min(depth, DEEPEST),
        is_current=current is not None and image.pk == current.pk,
    )


def tree_view(workspace: Workspace, images: Sequence[Image], current: Image | None) -> list[VersionView]:
    """The edit tree in reading order: an edit follows its source, more edits of one source are indented."""
    children: dict[UUID | None, list[Image]] = defaultdict(list)
    known = {image.pk for image in images}
    for image in images:
        children[image.parent_id if image.parent_id in known else None].append(image)
    views: list[VersionView] = []
    waiting = [(image, 0) for image in reversed(children[None])]
    while waiting:
        image, depth = waiting.pop()
        views.append(version_view(workspace, image, depth=depth, current=current))
        for place, child in reversed(list(enumerate(children[image.pk]))):
            waiting.append((child, depth + (1 if place else 0)))
    return views
