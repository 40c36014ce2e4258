"""Data for the Studio. The number of queries does not depend on the number of rows."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Prefetch, Q, QuerySet, When

from editor.models import (
    LIVE,
    UNENDED,
    Character,
    CharacterImage,
    Image,
    Job,
    JobImage,
    Star,
    Status,
    Style,
    User,
    Workspace,
)

# More cards than this are not useful; the viewer's own come first.
LIVE_CARDS = 6
PROMPTS = 20
UPLOADS = 100  # among which unused ones are looked for
RECENT = 4


class Version(NamedTuple):
    """Where an image stands in its edit tree: there may be thousands, of which few are shown."""

    id: UUID
    parent_id: UUID | None
    job_id: UUID | None
    trashed_at: datetime | None


def edit_tree(image: Image) -> list[Version]:
    """All versions in the edit tree of `image`, oldest first."""
    root_id = image.root_id or image.pk
    tree = Image.objects.filter(Q(pk=root_id) | Q(root_id=root_id)).order_by("version")
    return [Version(*row) for row in tree.values_list(*Version._fields)]


def versions(image_ids: Iterable[UUID]) -> dict[UUID, Image]:
    """The images with these ids, with what a page shows of them."""
    return Image.objects.select_related("job", "created_by").in_bulk(image_ids)


def _with_parts(jobs: QuerySet[Job]) -> QuerySet[Job]:
    masks = JobImage.objects.filter(job=OuterRef("pk"), role=JobImage.Role.MASK)
    return (
        jobs.annotate(masked=Exists(masks))
        .select_related("parent__job", "created_by", "approval")
        .prefetch_related(
            Prefetch("results", Image.objects.select_related("parent", "job").order_by("position"))
        )
    )


def live_jobs(workspace: Workspace, viewer: User | None = None) -> list[Job]:
    """The newest edits that are queued or running: the viewer's, then those of others.

    The viewer's include those that wait for an approval.
    """
    own = Q(status=Status.WAITING, created_by=viewer)
    jobs = Job.objects.filter(Q(status__in=LIVE) | own, workspace=workspace)
    own_first = Case(When(created_by=viewer, then=0), default=1)
    return list(_with_parts(jobs).order_by(own_first, "-created_at")[:LIVE_CARDS])


def job(workspace: Workspace, job_id: str) -> Job | None:
    return _with_parts(Job.objects.filter(workspace=workspace, pk=job_id)).first()


def ended_since(workspace: Workspace, moment: datetime) -> list[Job]:
    """Edits that ended after `moment`, oldest first."""
    jobs = Job.objects.filter(workspace=workspace, finished_at__gte=moment)
    return list(reversed(_with_parts(jobs).order_by("-finished_at")[:20]))


def newest_if_failed(workspace: Workspace, user: User) -> Job | None:
    """The user's newest edit, if it failed: after the next one the failure is history.

    Or the one whose approval was declined, or lapsed, after the newest was started.
    """
    mine = Job.objects.filter(workspace=workspace, created_by=user)
    newest = mine.order_by("-created_at").first()
    if newest is None or newest.status == Status.FAILED:
        return newest
    return (
        mine.filter(
            status=Status.FAILED,
            approval__workspace=workspace,
            approval__decided_at__gte=newest.created_at,
        )
        .order_by("-approval__decided_at")
        .first()
    )


def unused_uploads(workspace: Workspace, user: User) -> list[Image]:
    """The user's newest uploads that no unended edit uses, and no result outside the trash was made of.

    Those of long ago are not looked at; the gallery lists all.
    """
    newest = Image.objects.filter(
        workspace=workspace, created_by=user, kind__in=Image.UPLOADS, from_sample=False, trashed_at=None
    ).order_by("-created_at", "-id")[:UPLOADS]
    results = Image.objects.filter(job__images=OuterRef("pk"), trashed_at=None)
    live = JobImage.objects.filter(image=OuterRef("pk"), job__status__in=UNENDED)
    rows = Image.objects.filter(pk__in=newest.values("pk")).exclude(Exists(results)).exclude(Exists(live))
    return list(rows.order_by("-created_at", "-id")[:RECENT])


def is_starred(image: Image, user: User) -> bool:
    return Star.objects.filter(image=image, user=user).exists()


def prompts(workspace: Workspace, user: User) -> list[str]:
    """The newest PROMPTS distinct prompts of a user. Old prompts are not searched."""
    jobs = Job.objects.filter(workspace=workspace, created_by=user).order_by("-created_at")
    newest = jobs.values_list("prompt", flat=True)[: 10 * PROMPTS]
    return list(dict.fromkeys(newest))[:PROMPTS]


def styles(workspace: Workspace) -> list[Style]:
    """The system's styles, then the workspace's own."""
    return list(
        Style.objects.filter(Q(workspace=None) | Q(workspace=workspace), archived_at=None).order_by(
            F("workspace_id").asc(nulls_first=True), "position", "name"
        )
    )


def characters(workspace: Workspace) -> list[Character]:
    """The workspace's characters with their images."""
    images = Prefetch("character_images", CharacterImage.objects.select_related("image"))
    return list(Character.objects.filter(workspace=workspace, archived_at=None).prefetch_related(images))
