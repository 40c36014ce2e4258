"""How long edits took."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from editor.models import Job


def elapsed(job: Job) -> timedelta:
    """Time from creation, or from its approval, to end or to now."""
    start = (job.approved and job.approval.decided_at) or job.created_at
    return max(timedelta(), (job.finished_at or timezone.now()) - start)
