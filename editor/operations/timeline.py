"""Every change of a job's state goes through here: one row, one event, one message."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.models import ENDED, LIVE, Job, JobEvent, Status

Kind = JobEvent.Kind


@transaction.atomic
def record(*, job: Job, kind: Kind, percent: int | None = None, note: str = "", **changes: Any) -> bool:
    """Move a live job to its next step; `changes` are columns to set in the same statement.

    Returns False, and does nothing, when the job has ended meanwhile: an ended job stays
    as it is.
    """
    if not _update(job, stage=kind, percent=percent, **changes):
        return False
    _write(job=job, kind=kind, percent=percent, note=note)
    return True


@transaction.atomic
def end(*, job: Job, status: Status, kind: Kind, note: str = "", **changes: Any) -> bool:
    """End a live job. Whoever changes the row wins; everybody else gets False."""
    if not _update(job, status=status, stage=kind, percent=None, finished_at=timezone.now(), **changes):
        return False
    _write(job=job, kind=kind, percent=None, note=note)
    return True


def _update(job: Job, **changes: Any) -> bool:
    if not Job.objects.filter(pk=job.pk, status__in=LIVE).update(**changes):
        return False
    for name, value in changes.items():
        setattr(job, name, value)
    return True


def _write(*, job: Job, kind: Kind, percent: int | None, note: str) -> None:
    JobEvent.objects.create(job=job, kind=kind, percent=percent, note=note[:300])
    ended = job.status in ENDED
    events.publish(events.JobChanged(workspace_id=job.workspace_id, job_id=job.id, ended=ended))
