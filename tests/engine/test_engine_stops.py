"""Workers that stop, and people who cancel, at the worst moment: one submit, one outcome."""

from __future__ import annotations

import asyncio

import pytest
from django.utils import timezone

from editor.concurrency.threads import in_thread
from editor.engine import execution, submission
from editor.engine.errors import JobEnded
from editor.models import Image, Job, Status
from editor.operations import jobs
from editor.providers.base import EditRequest, ErrorKind, Submitted
from editor.providers.failures import failure
from tests.engine.scripted import (
    AtOnce,
    Scripted,
    respond_while_it_stops,
    scripted,
    stop_during_submit,
    submit,
    totals,
)
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")


def test_a_worker_that_stops_during_the_submit_keeps_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, Scripted(holds=True))
    actor, job = submit()
    asyncio.run(stop_during_submit(job, provider))
    job.refresh_from_db()
    assert (job.status, job.provider_task_id) == (Status.PROCESSING, provider.requested[0])
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert len(provider.requested) == 1
    assert totals(actor) == (6, 0)


def test_canceling_during_the_submit_reaches_the_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, Scripted(holds=True))
    actor, job = submit()

    async def go() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(lambda: provider.requested)
        await in_thread(jobs.cancel, actor=actor, job=job)
        running.cancel()
        await respond_while_it_stops(running, provider)

    asyncio.run(go())
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert provider.stopped == provider.requested
    assert totals(actor) == (10, 0)


def test_a_result_that_arrives_while_the_worker_stops_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, AtOnce(holds=True))
    _, job = submit()
    asyncio.run(stop_during_submit(job, provider))
    job.refresh_from_db()
    assert (job.status, len(provider.requested)) == (Status.COMPLETED, 1)
    assert Image.objects.filter(kind="result").count() == 1


def test_canceling_does_not_wait_for_the_providers_response(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, AtOnce(holds=True))
    actor, job = submit()

    async def cancel_it() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(lambda: provider.requested)
        await in_thread(jobs.cancel, actor=actor, job=job)
        running.cancel()
        await asyncio.wait_for(asyncio.gather(running, return_exceptions=True), PATIENCE)

    asyncio.run(cancel_it())
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert totals(actor) == (10, 0)


def test_a_refusal_that_arrives_while_the_worker_stops_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    class Refuses(Scripted):
        async def submit(self, request: EditRequest) -> Submitted:
            await super().submit(request)
            raise failure(ErrorKind.MODERATED)

    provider = scripted(monkeypatch, Refuses(holds=True))
    actor, job = submit()
    asyncio.run(stop_during_submit(job, provider))
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "moderated")
    assert totals(actor) == (10, 0)


def test_a_cancel_request_found_at_the_claim_ends_the_job() -> None:
    actor, job = submit()
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now(), status=Status.PROCESSING)
    job.refresh_from_db()
    with pytest.raises(JobEnded):
        submission._claim(job)
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert totals(actor) == (10, 0)
