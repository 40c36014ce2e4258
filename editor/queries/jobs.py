"""Jobs for APIs: by id, as lists, and which have ended."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from django.db.models import F, Prefetch, QuerySet, Sum

from editor.models import ENDED, Image, Job, JobEvent, JobImage, Status, Workspace

COUNTED = 10_000  # further jobs are not counted


def ended(job_ids: Sequence[UUID]) -> list[UUID]:
    """Those of the jobs that have ended."""
    return list(Job.objects.filter(id__in=job_ids, status__in=ENDED).values_list("id", flat=True))


def with_results(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The same jobs, with their approvals, and their results in order as `shown_results`."""
    results = Image.objects.filter(trashed_at=None, purged_at=None).order_by("position")
    shown = Prefetch("results", queryset=results, to_attr="shown_results")
    return jobs.select_related("approval").prefetch_related(shown)


def read(job_id: UUID) -> Job:
    """The job as it is now, with its results."""
    return with_results(Job.objects.filter(pk=job_id)).get()


def with_everything(jobs: QuerySet[Job]) -> QuerySet[Job]:
    """The same jobs with results, events and input images. The number of queries is constant."""
    used = JobImage.objects.select_related("image")
    return with_results(jobs).prefetch_related("events", Prefetch("job_images", queryset=used))


def read_everything(job_id: UUID) -> Job:
    """The job as it is now, see `with_everything`."""
    return with_everything(Job.objects.filter(pk=job_id)).get()


def page_with_everything(
    workspace: Workspace, *, start: int, size: int, oldest_first: bool = False, models: Collection[str] = ()
) -> tuple[list[Job], int]:
    """`size` of the workspace's jobs from `start`, see `with_everything`, and the total up to COUNTED.

    models  catalogue ids; empty for all models
    """
    jobs = Job.objects.filter(workspace=workspace)
    if models:
        jobs = jobs.filter(model__in=models)
    order = ("created_at", "id") if oldest_first else ("-created_at", "-id")
    ids = list(jobs.order_by(*order).values_list("id", flat=True)[start : start + size])
    total = jobs[:COUNTED].count()
    return list(with_everything(Job.objects.filter(id__in=ids)).order_by(*order)), total


def page(
    workspace: Workspace, *, number: int, size: int, status: str | None = None
) -> tuple[list[Job], bool]:
    """One page of the workspace's jobs, newest first, and whether there are more.

    number  from 1
    """
    jobs = Job.objects.filter(workspace=workspace)
    if status:
        # APIs call those that wait for an approval pending too.
        statuses = [status, Status.WAITING] if status == Status.PENDING else [status]
        jobs = jobs.filter(status__in=statuses)
    start = (number - 1) * size
    # The ids come from the index only; full rows are read just for the page.
    ids = list(jobs.order_by("-created_at", "-id").values_list("id", flat=True)[start : start + size + 1])
    rows = with_results(Job.objects.filter(id__in=ids[:size])).order_by("-created_at", "-id")
    return list(rows), len(ids) > size


def read_with_events(job_id: UUID, after: int) -> tuple[Job, list[JobEvent]]:
    """The job, with its results, and its events with numbers above `after`.

    An ended job has all its events, and if its last event is included, the job has ended.
    """
    job = read(job_id)
    events = list(JobEvent.objects.filter(job_id=job_id, pk__gt=after))
    if not job.has_ended and any(event.kind in JobEvent.ENDS for event in events):
        job = read(job_id)  # it ended between the two
    return job, events


def input_pixels(job_id: UUID) -> int:
    """The pixels of all input images of the job except its mask."""
    used = JobImage.objects.filter(job_id=job_id).exclude(role=JobImage.Role.MASK)
    pixels: int = used.aggregate(pixels=Sum(F("image__width") * F("image__height"), default=0))["pixels"]
    return pixels
