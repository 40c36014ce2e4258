"""The queue delivers "run this job" at least once; what to do is decided from the Job row.

The tasks themselves are in `editor/worker/tasks.py`; they are named here, not imported.
"""

from __future__ import annotations

from procrastinate.contrib.django import app

from editor.models import Job

QUEUE = "jobs"
RUN_JOB = "run_job"


def enqueue(*, job: Job, priority: int = 0) -> None:
    """Put the job into the queue, within the caller's transaction. Higher priority runs first."""
    task = app.configure_task(RUN_JOB, queue=QUEUE, priority=priority, allow_unknown=True)
    job.queue_id = task.defer(job_id=str(job.id))
    Job.objects.filter(pk=job.pk).update(queue_id=job.queue_id)


def withdraw(*, job: Job) -> None:
    """Take a waiting job out of the queue, or stop the worker that is running it."""
    if job.queue_id is not None:
        app.job_manager.cancel_job_by_id(job.queue_id, abort=True)
