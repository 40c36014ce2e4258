"""How long edits took."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from editor.models import Job


def elapsed(job: Job) -> timedelta:
    """Time from creation to end, or to now."""
    return max(timedelta(), (job.finished_at or timezone.now()) - job.created_at)
