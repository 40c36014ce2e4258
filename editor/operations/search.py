"""Entries of the gallery's search."""

from __future__ import annotations

from collections.abc import Iterable

from editor.models import Job, SearchEntry
from editor.models.search import vector

BATCH = 1000


def add(*, jobs: Iterable[Job]) -> None:
    """Let the search find these new jobs."""
    entries = (SearchEntry(job=job, workspace_id=job.workspace_id, words=vector(job)) for job in jobs)
    SearchEntry.objects.bulk_create(entries, BATCH)
