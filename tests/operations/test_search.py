"""Entries of the gallery's search."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.models import Job, SearchEntry
from editor.operations import jobs, search
from tests.factories import make_actor

pytestmark = pytest.mark.django_db


def test_jobs_that_an_older_process_submitted_are_found_too() -> None:
    """While processes are updated one after another, the old ones add no entry."""
    actor = make_actor()
    found, missing, old = (
        jobs.submit(actor=actor, request=jobs.NewEdit(prompt=f"a quiet harbour {number}"))
        for number in range(3)
    )
    words = SearchEntry.objects.get(job=missing.pk).words
    SearchEntry.objects.exclude(job=found.pk).delete()
    before = timezone.now() - search.UPDATED_WITHIN - timedelta(hours=1)
    Job.objects.filter(pk=old.pk).update(created_at=before)

    assert (search.add_missing(), search.add_missing()) == (1, 0)
    assert SearchEntry.objects.get(job=missing.pk).words == words
    assert not SearchEntry.objects.filter(job=old.pk).exists()
