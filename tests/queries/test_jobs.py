"""A job and its events are read consistently, whatever happens between two reads."""

from __future__ import annotations

from uuid import UUID

import pytest

from editor.models import Job, Status
from editor.operations import jobs, outcomes
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from tests.factories import make_actor

pytestmark = pytest.mark.django_db


def test_a_job_that_ends_between_the_reads_is_reported_as_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    job = jobs.submit(actor=make_actor(), request=NewEdit(prompt="a harbour"))
    read = job_queries.read
    reads: list[Status] = []

    def reading(job_id: UUID) -> Job:
        row = read(job_id)
        reads.append(Status(row.status))
        if len(reads) == 1:
            outcomes.end_failed(job=job, code="timeout", message="It took too long.")
        return row

    monkeypatch.setattr(job_queries, "read", reading)
    row, events = job_queries.read_with_events(job.id, 0)
    assert reads == [Status.PENDING, Status.FAILED]
    assert (row.error, events[-1].kind) == ("It took too long.", "task_error")


def test_only_later_events_are_reported() -> None:
    job = jobs.submit(actor=make_actor(), request=NewEdit(prompt="a harbour"))
    row, events = job_queries.read_with_events(job.id, 0)
    assert (row.is_live, [event.kind for event in events]) == (True, ["task_queue"])
    assert job_queries.read_with_events(job.id, events[-1].pk)[1] == []
