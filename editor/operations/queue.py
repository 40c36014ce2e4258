"""The job queue. It delivers "run this job" at least once; the Job row decides what is left to do.

The tasks themselves are in `editor/worker/tasks.py`; they are named here, not imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from procrastinate.contrib.django import app

from editor.models import Job

JOBS, WEBHOOKS, MAILS = "jobs", "webhooks", "mails"
RUN_JOB = "run_job"
DELIVER_WEBHOOK = "deliver_webhook"
SEND_MAIL = "send_mail"


def enqueue(*, job: Job, priority: int = 0) -> None:
    """Enqueue the job within the caller's transaction. Higher priority runs first."""
    task = app.configure_task(RUN_JOB, queue=JOBS, priority=priority, allow_unknown=True)
    job.queue_id = task.defer(job_id=str(job.id))
    Job.objects.filter(pk=job.pk).update(queue_id=job.queue_id)


def withdraw(*, job: Job) -> None:
    """Remove a waiting job from the queue, or stop the worker that is running it."""
    if job.queue_id is not None:
        app.job_manager.cancel_job_by_id(job.queue_id, abort=True)


def enqueue_delivery(*, delivery_id: UUID, at: datetime | None = None) -> None:
    """Enqueue sending to the webhook's receiver, now or at that time, within the caller's transaction."""
    task = app.configure_task(DELIVER_WEBHOOK, queue=WEBHOOKS, schedule_at=at, allow_unknown=True)
    task.defer(delivery_id=str(delivery_id))


def enqueue_mail(*, kind: str, email: str, origin: str, details: Mapping[str, str]) -> None:
    """Enqueue writing and sending a mail, within the caller's transaction."""
    task = app.configure_task(SEND_MAIL, queue=MAILS, allow_unknown=True)
    task.defer(kind=kind, email=email, origin=origin, details=dict(details))
