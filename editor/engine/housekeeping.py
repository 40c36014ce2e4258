"""Keeps jobs moving when workers die or the queue and the rows disagree."""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import connection, transaction
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from editor.models import LIVE, Job
from editor.operations import queue

log = logging.getLogger("editor.jobs")

# A worker without a heartbeat for this long is dead.
STALLED_AFTER = 10  # seconds

_RESCUE = """
SELECT count(procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL))
FROM (
    SELECT job.id
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - make_interval(secs => %s))
    FOR UPDATE OF job SKIP LOCKED
) AS orphaned
"""

# Finished rows of the queue; those of successful jobs delete themselves.
_KEPT_HOURS = 6
FORGOTTEN_AT_ONCE = 1000
_FORGET = """
DELETE FROM procrastinate_jobs WHERE id IN (
    SELECT job.id FROM procrastinate_jobs AS job
    WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
      AND NOT EXISTS (
          SELECT FROM procrastinate_events AS event
          WHERE event.job_id = job.id AND event.at > now() - make_interval(hours => %s)
      )
    LIMIT %s
    FOR UPDATE SKIP LOCKED
)
"""


def rescue() -> int:
    """Return the jobs of dead workers to the queue, and how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_RESCUE, [STALLED_AFTER])
        row = cursor.fetchone()
    count = int(row[0]) if row else 0
    if count:
        log.warning("%s jobs of dead workers were put back into the queue", count)
    return count


def requeue_lost() -> int:
    """Enqueue live jobs that are missing from the queue, and return how many there were."""
    waiting = ProcrastinateJob.objects.filter(status__in=["todo", "doing"])
    lost = (
        Job.objects.filter(status__in=LIVE, created_at__lt=timezone.now() - timedelta(seconds=30))
        .exclude(queue_id__in=waiting.values("id"))
        .order_by("created_at")[:500]
    )
    count = 0
    for candidate in lost:
        with transaction.atomic():
            # Another process may be doing the same: lock the row and check again.
            job = (
                Job.objects.select_for_update(skip_locked=True, no_key=True)
                .filter(pk=candidate.pk, status__in=LIVE, queue_id=candidate.queue_id)
                .first()
            )
            if job is not None:
                queue.enqueue(job=job)
                count += 1
    if count:
        log.warning("%s jobs that the queue had lost were enqueued again", count)
    return count


def forget_queue_rows() -> int:
    """Delete rows of the queue that ended some hours ago, including canceled ones; returns how many."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, [_KEPT_HOURS, FORGOTTEN_AT_ONCE])
        return int(cursor.rowcount)
