"""What the gallery, the lightbox, the trash and the share dialog show.

Lists are sorted by time, newest first, and paged by the position of their last row, so that all
pages cost the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePath
from typing import TypeVar
from uuid import UUID

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone

from editor.models import LIVE, Image, Job, ShareLink, Star, Status, User, Workspace
from editor.queries import search

PAGE = 30
SOURCES = "sources"  # in place of a status: the uploads
COUNTED = 1000  # further tiles are not counted
COUNTED_WITH_WORDS = 200  # each may need a search of the prompts
LISTED = 200  # people to filter by; others are found by their names in the search

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSITION = re.compile(r"(\d{1,16})\.([0-9a-f]{32})")

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a list sorted by time and id; as text, microseconds since 1970 and the id."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.id.hex}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Parse the result of `str`; None for anything else."""
        match = _POSITION.fullmatch(text, endpos=60)
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, UUID(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which edits to show. The default is all completed ones.

    words    each begins a word of the prompt, or of the name of its person, model, style or character
    by       id of the user who made it
    model    catalogue id
    days     made within this many days
    starred  starred by the viewer; only results can be
    status   a job's status, "running" for jobs that have not ended, or SOURCES for uploads
    """

    words: tuple[str, ...] = ()
    by: UUID | None = None
    model: str = ""
    days: int | None = None
    starred: bool = False
    status: str = Status.COMPLETED

    @property
    def lists_images(self) -> bool:
        """Whether to list images (results or uploads) or jobs."""
        return self.status in (Status.COMPLETED, SOURCES)

    @property
    def lists_uploads(self) -> bool:
        return self.status == SOURCES


def images(workspace: Workspace, viewer: User, filter: Filter) -> QuerySet[Image]:
    """The matching results, newest first, with `job` and `created_by`.

    Jobs are looked up afterwards: many matches are soon sorted only if their rows are short.
    """
    rows = Image.objects.filter(workspace=workspace, kind=Image.Kind.RESULT, trashed_at=None)
    if filter.starred:
        rows = rows.filter(Exists(Star.objects.filter(user=viewer, image=OuterRef("pk"))))
    if filter.model:
        rows = rows.filter(job__model=filter.model)
    if filter.words:
        rows = rows.filter(job__in=search.jobs_with(workspace, filter.words))
    return _narrowed(rows, filter).select_related("created_by").prefetch_related("job")


def uploads(workspace: Workspace, viewer: User, filter: Filter) -> QuerySet[Image]:
    """The matching uploads, newest first, with `created_by`. A word can be in the file name or the person's.

    No model made them: with a model in the filter there are none.
    """
    rows = Image.objects.filter(workspace=workspace, kind__in=Image.UPLOADS, trashed_at=None)
    if filter.starred:
        rows = rows.filter(Exists(Star.objects.filter(user=viewer, image=OuterRef("pk"))))
    for word in filter.words:
        rows = rows.filter(Q(original_name__icontains=word) | Q(created_by__name__icontains=word))
    return _narrowed(rows.none() if filter.model else rows, filter).select_related("created_by")


def starred(viewer: User, images: Iterable[Image]) -> set[UUID]:
    """The ids of the images that the viewer has starred."""
    return set(Star.objects.filter(user=viewer, image__in=images).values_list("image_id", flat=True))


def jobs(workspace: Workspace, filter: Filter) -> QuerySet[Job]:
    """The matching edits without a result, newest first, with `created_by` and `parent`."""
    statuses = LIVE if filter.status == "running" else (filter.status,)
    rows = Job.objects.filter(workspace=workspace, status__in=statuses)
    if filter.model:
        rows = rows.filter(model=filter.model)
    if filter.words:
        rows = rows.filter(pk__in=search.jobs_with(workspace, filter.words))
    return _narrowed(rows, filter).select_related("created_by", "parent")


def _narrowed(rows: QuerySet[Row], filter: Filter) -> QuerySet[Row]:
    if filter.by:
        rows = rows.filter(created_by=filter.by)
    if filter.days:
        rows = rows.filter(created_at__gte=timezone.now() - timedelta(days=filter.days))
    return rows.order_by("-created_at", "-id")


def count(rows: QuerySet[Row], *, limit: int) -> int:
    """The number of rows; `limit` + 1 means more than `limit`."""
    return rows.order_by()[: limit + 1].count()


def older(rows: QuerySet[Row], position: Position) -> QuerySet[Row]:
    """Rows after `position`. An index can only seek to the first condition."""
    return rows.filter(created_at__lte=position.at).filter(
        Q(created_at__lt=position.at) | Q(id__lt=position.id)
    )


def newer(rows: QuerySet[Row], position: Position) -> QuerySet[Row]:
    """Rows before `position`, newest first."""
    return rows.filter(created_at__gte=position.at).filter(
        Q(created_at__gt=position.at) | Q(id__gt=position.id)
    )


def neighbours(rows: QuerySet[Row], position: Position) -> tuple[Row | None, Row | None]:
    """The rows before and after `position`, whose own row need not be in the list; without `job`."""
    rows = rows.prefetch_related(None)
    return newer(rows, position).reverse().first(), older(rows, position).first()


def people(workspace: Workspace, *, chosen: UUID | None) -> list[User]:
    """The members to filter by, sorted by name: all, or of more than LISTED those of the latest images.

    `chosen` is among them if it is a member.
    """
    members = workspace.members.order_by("name", "email")
    if members.count() <= LISTED:
        return list(members)
    latest = Image.objects.filter(workspace=workspace).order_by("-created_at")[:LISTED]
    makers = set(latest.values_list("created_by", flat=True))
    return list(members.filter(Q(pk__in=makers) | Q(pk=chosen)))


def result(workspace: Workspace, image: Image) -> Image | None:
    """A result with its recipe and its parent; None for uploads and masks."""
    rows = Image.objects.filter(workspace=workspace, pk=image.pk, kind=Image.Kind.RESULT)
    rows = rows.select_related(
        "created_by", "parent__job", "job__style", "job__character", "job__approval__decided_by"
    )
    return rows.prefetch_related("job__job_images").first()


def edit(workspace: Workspace, job: Job) -> Job:
    """A job with its recipe and its parent."""
    rows = Job.objects.filter(workspace=workspace).prefetch_related("job_images")
    rows = rows.select_related("created_by", "parent__job", "style", "character", "approval__decided_by")
    return rows.get(pk=job.pk)


def first_result(job: Job) -> Image | None:
    """The first of its results that is not in the trash."""
    return job.results.filter(trashed_at=None).order_by("position").first()


def titles(images: list[Image]) -> dict[UUID, str]:
    """What to call the images, by id: the prompt, or the name of the uploaded file without its extension."""
    rows = Image.objects.filter(pk__in=[image.pk for image in images], job__isnull=False)
    prompts = dict(rows.values_list("pk", "job__prompt"))
    return {image.pk: prompts.get(image.pk) or PurePath(image.original_name).stem for image in images}


def trash(workspace: Workspace, before: Position | None) -> list[Image]:
    """A page of the trash, last trashed first, and one more image if there is another page.

    `characters`: those that use the image, by name.
    """
    rows = Image.objects.filter(workspace=workspace, trashed_at__isnull=False, purged_at=None)
    if before:
        rows = rows.filter(trashed_at__lte=before.at).filter(
            Q(trashed_at__lt=before.at) | Q(id__lt=before.id)
        )
    rows = rows.select_related("job", "trashed_by").prefetch_related("characters")
    return list(rows.order_by("-trashed_at", "-id")[: PAGE + 1])


def used_by_characters(images: Sequence[Image]) -> list[Image]:
    """The images that a character uses, with their `characters`."""
    rows = Image.objects.filter(pk__in=[image.pk for image in images], characters__isnull=False)
    return list(rows.distinct().prefetch_related("characters"))


def kept_in_trash(workspace: Workspace) -> int:
    """How many images in the trash are kept because a character uses them."""
    rows = Image.objects.filter(workspace=workspace, trashed_at__isnull=False, purged_at=None)
    return rows.filter(characters__isnull=False).distinct().count()


def shares(image: Image) -> list[ShareLink]:
    """The live links to the image, last to expire first."""
    links = ShareLink.objects.filter(image=image, revoked_at=None, expires_at__gt=timezone.now())
    return list(links.select_related("created_by").order_by("-expires_at", "-id"))
