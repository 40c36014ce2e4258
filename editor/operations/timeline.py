"""All changes of a job's state: each updates one row, adds one event and publishes one message."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.models import ENDED, LIVE, Job, JobEvent, Status
from editor.operations.webhooks import deliveries

Kind = JobEvent.Kind


@transaction.atomic(savepoint=False)
def record(
    *,
    job: Job,
    kind: Kind,
    through: Kind | None = None,
    percent: int | None = None,
    note: str = "",
    was: Sequence[Status] = LIVE,
    **changes: Any,
) -> bool:
    """Move a live job to its next step; `changes` are columns to set in the same statement.

    through  a previous step reached at the same moment: two events, one message
    was      the statuses that it may have had

    Returns False, and does nothing, if the job has ended in the meantime: an ended job never
    changes.
    """
    if not _update(job, was, stage=kind, percent=percent, **changes):
        return False
    _write(job=job, kind=kind, through=through, percent=percent, note=note)
    return True


@transaction.atomic(savepoint=False)
def end(
    *,
    job: Job,
    status: Status,
    kind: Kind,
    through: Kind | None = None,
    note: str = "",
    was: Sequence[Status] = LIVE,
    **changes: Any,
) -> bool:
    """End a live job. The first caller to change the row wins; all others get False."""
    ended = {"status": status, "stage": kind, "percent": None, "finished_at": timezone.now()}
    if not _update(job, was, **ended, **changes):
        return False
    _write(job=job, kind=kind, through=through, note=note)
    deliveries.job_ended(job=job)
    return True


def _update(job: Job, was: Sequence[Status], **changes: Any) -> bool:
    if not Job.objects.filter(pk=job.pk, status__in=was).update(**changes):
        return False
    for name, value in changes.items():
        setattr(job, name, value)
    return True


def _write(*, job: Job, kind: Kind, through: Kind | None, note: str, percent: int | None = None) -> None:
    steps = [JobEvent(job=job, kind=kind, percent=percent, note=note[:300])]
    if through:
        steps.insert(0, JobEvent(job=job, kind=through))
    JobEvent.objects.bulk_create(steps)
    ended = job.status in ENDED
    events.publish(events.JobChanged(workspace_id=job.workspace_id, job_id=job.id, ended=ended))
