"""Entries of the gallery's search."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from editor.models import Job, SearchEntry
from editor.models.search import vector

log = logging.getLogger("editor.jobs")

BATCH = 1000
# While a portal is updated one process after another, the old ones submit jobs without an entry.
UPDATED_WITHIN = timedelta(days=7)


def add(*, jobs: Iterable[Job]) -> None:
    """Let the search find these new jobs."""
    SearchEntry.objects.bulk_create(map(_entry, jobs), BATCH)


def add_missing() -> int:
    """Let the search find jobs of these days that have no entry, and return how many there were."""
    recent = Job.objects.filter(created_at__gt=timezone.now() - UPDATED_WITHIN)
    jobs = list(recent.filter(search_entry=None)[:BATCH])
    # Another process may be adding the same ones.
    SearchEntry.objects.bulk_create(map(_entry, jobs), ignore_conflicts=True)
    if jobs:
        log.warning("%s jobs were added to the search", len(jobs))
    return len(jobs)


def _entry(job: Job) -> SearchEntry:
    return SearchEntry(job=job, workspace_id=job.workspace_id, words=vector(job))
