"""The gallery: its filter, its tiles and the trash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts import pictures
from editor.media import links
from editor.models import Image, Job, Status, User, Workspace
from editor.queries import gallery
from editor.queries.gallery import Filter, Position

DAYS = {"1": "Last 24 hours", "7": "Last 7 days", "30": "Last 30 days"}
STATUSES = {
    Status.COMPLETED.value: "Completed",
    "running": "Running",
    Status.WAITING.value: "Waiting for approval",
    Status.FAILED.value: "Failed",
    Status.CANCELED.value: "Canceled",
    gallery.SOURCES: "Sources",
}
# A failure is listed at the time its edit started, not on top: only these lists grow at the start.
LIVE_LISTS = (Status.COMPLETED, "running")


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class FilterView:
    words: str
    people: list[Choice]
    models: list[Choice]
    days: list[Choice]
    statuses: list[Choice]
    starred: bool


@dataclass(frozen=True, slots=True)
class Tile:
    """One image, or one edit without an image: then `thumb_url` may show its source, and `state` says why.

    prompt     an upload has none: the name of its file
    is_upload  opens in the Studio, not in the lightbox
    """

    id: UUID
    url: str
    thumb_url: str
    srcset: str
    sizes: str
    prompt: str
    who: str
    at: datetime
    starred: bool = False
    state: str = ""
    is_upload: bool = False


@dataclass(frozen=True, slots=True)
class Tiles:
    """A page of tiles: `older_url` is the next page, `newest` the position of the first tile."""

    tiles: list[Tile]
    older_url: str | None
    newest: str


@dataclass(frozen=True, slots=True)
class Gallery:
    """The list, without the filter's controls.

    shown    the filter's fields that the list was made with; the user may be changing the controls
    is_live  new tiles are added automatically
    """

    list: Tiles
    count: str
    url: str
    shown: dict[str, str]
    is_live: bool
    lists_images: bool
    lists_uploads: bool
    may_edit: bool


def filter_fields(filter: Filter) -> dict[str, str]:
    """The filter as form fields; defaults are left out."""
    fields = {
        "q": " ".join(filter.words),
        "by": str(filter.by or ""),
        "model": filter.model,
        "since": str(filter.days or ""),
        "starred": "1" if filter.starred else "",
        "status": "" if filter.status == Status.COMPLETED else filter.status,
    }
    return {name: value for name, value in fields.items() if value}


def filter_query(filter: Filter) -> str:
    """The filter as a query string: empty, or "?" and its fields."""
    fields = filter_fields(filter)
    return f"?{urlencode(fields)}" if fields else ""


def list_url(workspace: Workspace, filter: Filter) -> str:
    return reverse("gallery", args=[workspace.slug]) + filter_query(filter)


def filter_view(workspace: Workspace, filter: Filter) -> FilterView:
    people = [(str(user.pk), user.display_name) for user in gallery.people(workspace, chosen=filter.by)]
    by = str(filter.by or "")
    if by and by not in dict(people):
        people.append((by, "Former member"))
    models = [(model.id, model.label) for model in catalog.catalog().models.values()]
    return FilterView(
        words=" ".join(filter.words),
        people=_choices([("", "Everyone"), *people], by),
        models=_choices([("", "All models"), *models], filter.model),
        days=_choices([("", "Any time"), *DAYS.items()], str(filter.days or "")),
        statuses=_choices(list(STATUSES.items()), filter.status),
        starred=filter.starred,
    )


def _choices(pairs: list[tuple[str, str]], chosen: str) -> list[Choice]:
    return [Choice(value, label, chosen=value == chosen) for value, label in pairs]


def gallery_list(actor: Actor, filter: Filter, *, after: Position | None = None) -> Gallery:
    """The list from the start, or from the position `after` on."""
    rows = _rows(actor, filter)
    return Gallery(
        list=_tiles(actor, filter, gallery.older(rows, after) if after else rows),
        count=_count(filter, rows),
        url=list_url(actor.workspace, filter),
        shown=filter_fields(filter),
        is_live=after is None and filter.status in LIVE_LISTS,
        lists_images=filter.lists_images,
        lists_uploads=filter.lists_uploads,
        may_edit=actor.may(Permission.EDIT),
    )


def list_count(actor: Actor, filter: Filter) -> str:
    return _count(filter, _rows(actor, filter))


def older_tiles(actor: Actor, filter: Filter, after: Position) -> Tiles:
    """The next page of the list."""
    return _tiles(actor, filter, gallery.older(_rows(actor, filter), after))


def newer_tiles(actor: Actor, filter: Filter, before: Position) -> Tiles:
    """Tiles added since the list was made; with an `older_url` if they fill more than a page."""
    return _tiles(actor, filter, gallery.newer(_rows(actor, filter), before))


def neighbours(actor: Actor, filter: Filter, row: Image | Job) -> tuple[str | None, str | None]:
    """URLs of the next newer and next older edit; None in a list of the other kind."""
    if filter.lists_uploads or isinstance(row, Image) != filter.lists_images:
        return None, None
    newer, older = gallery.neighbours(_rows(actor, filter), position(row))
    return (
        edit_url(actor.workspace, newer, filter) if newer else None,
        edit_url(actor.workspace, older, filter) if older else None,
    )


def _rows(actor: Actor, filter: Filter) -> Any:
    if filter.lists_uploads:
        return gallery.uploads(actor.workspace, actor.user, filter)
    if filter.lists_images:
        return gallery.images(actor.workspace, actor.user, filter)
    return gallery.jobs(actor.workspace, filter)


def _tiles(actor: Actor, filter: Filter, rows: Any) -> Tiles:
    found: list[Image | Job] = list(rows[: gallery.PAGE + 1])
    page = found[: gallery.PAGE]
    stars = gallery.starred(actor.user, [row for row in page if isinstance(row, Image)])
    older_url = None
    if len(found) > len(page):
        fields = {**filter_fields(filter), "older": str(position(page[-1]))}
        older_url = f"{reverse('gallery', args=[actor.workspace.slug])}?{urlencode(fields)}"
    return Tiles(
        tiles=[_tile(actor.workspace, filter, row, starred=row.pk in stars) for row in page],
        older_url=older_url,
        newest=str(position(page[0])) if page else "",
    )


def position(row: Image | Job) -> Position:
    return Position(row.created_at, row.pk)


def edit_url(workspace: Workspace, row: Image | Job, filter: Filter) -> str:
    """URL of the lightbox of `row` within the filter."""
    name = "gallery_image" if isinstance(row, Image) else "gallery_edit"
    return reverse(name, args=[workspace.slug, row.pk]) + filter_query(filter)


def _tile(workspace: Workspace, filter: Filter, row: Image | Job, *, starred: bool) -> Tile:
    """`row` as loaded by `queries.gallery`; makes no query."""
    if isinstance(row, Image) and row.job_id is None:
        return _upload_tile(workspace, row, starred=starred)
    job = row.job if isinstance(row, Image) else row
    picture = row if isinstance(row, Image) else row.parent
    assert job is not None
    shown = _shown(picture) if picture and not picture.trashed_at else ("", "", "")
    return Tile(
        id=row.pk,
        url=edit_url(workspace, row, filter),
        thumb_url=shown[0],
        srcset=shown[1],
        sizes=shown[2],
        prompt=job.prompt,
        who=who(row.created_by),
        at=row.created_at,
        starred=starred,
        state="" if isinstance(row, Image) else state_of(row),
    )


def _upload_tile(workspace: Workspace, image: Image, *, starred: bool) -> Tile:
    thumb_url, srcset, sizes = _shown(image)
    return Tile(
        id=image.pk,
        url=reverse("studio_version", args=[workspace.slug, image.pk]),
        thumb_url=thumb_url,
        srcset=srcset,
        sizes=sizes,
        prompt=image.original_name or "Uploaded image",
        who=who(image.created_by),
        at=image.created_at,
        starred=starred,
        is_upload=True,
    )


def _shown(image: Image) -> tuple[str, str, str]:
    """The attributes src, srcset and sizes of the image in a square tile."""
    files = [(variant, links.sign(image.pk, variant)) for variant in ("512", "1280")]
    return (
        files[0][1],
        pictures.srcset(files, width=image.width, height=image.height),
        pictures.sizes_covering(width=image.width, height=image.height),
    )


def who(user: User | None) -> str:
    return user.display_name if user else "Former member"


def state_of(job: Job) -> str:
    """A short label for the job's state."""
    if job.status == Status.PROCESSING and job.percent:
        return f"Running, {job.percent}%"
    if job.error_code == "approval_declined":
        return "Declined"
    shown = {
        Status.WAITING: "Waiting for approval",
        Status.PENDING: "Queued",
        Status.PROCESSING: "Running",
    }
    return shown.get(Status(job.status), job.status.title())


def _count(filter: Filter, rows: Any) -> str:
    limit = gallery.COUNTED_WITH_WORDS if filter.words else gallery.COUNTED
    number = gallery.count(rows, limit=limit)
    noun = "upload" if filter.lists_uploads else "edit"
    if number > limit:
        return f"More than {limit:,} {noun}s"
    return f"1 {noun}" if number == 1 else f"{number:,} {noun}s"
