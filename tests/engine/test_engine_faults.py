"""Faulty providers, and runs that meet one another: one submit, one outcome, nothing lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from editor.concurrency.threads import in_thread
from editor.engine import execution, submission
from editor.engine.errors import RouteChanged
from editor.models import Image, Job, Status
from editor.operations import outcomes
from editor.providers.base import EditRequest, ErrorKind, Progress, Result, Submitted
from editor.providers.failures import failure
from tests.engine.scripted import (
    AtOnce,
    Scripted,
    scripted,
    stop_during_submit,
    submit,
    totals,
)
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")


def test_a_provider_that_hangs_is_abandoned_at_the_time_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, Scripted(hangs=True))
    actor, job = submit()
    Job.objects.filter(pk=job.pk).update(time_limit=1)
    asyncio.run(asyncio.wait_for(execution.run(job.id), PATIENCE))
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "timeout")
    assert provider.stopped == provider.requested
    assert totals(actor) == (10, 0)


def test_a_job_resumed_after_its_time_limit_still_fetches_a_finished_result(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = scripted(monkeypatch, Scripted(holds=True))
    _, job = submit()
    asyncio.run(stop_during_submit(job, provider))
    Job.objects.filter(pk=job.pk).update(submitting_at=timezone.now() - timedelta(days=1))
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert job.status == Status.COMPLETED


def test_two_concurrent_workers_submit_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when a worker was considered dead but is alive."""
    provider = scripted(monkeypatch, Scripted(holds=True))
    actor, job = submit()
    claimed_long_ago, found_claimed = submission._claimed_long_ago, []

    def looking(job: Job) -> bool:
        found_claimed.append(job)
        return claimed_long_ago(job)

    monkeypatch.setattr(submission, "_claimed_long_ago", looking)

    async def both() -> None:
        running = asyncio.gather(execution.run(job.id), execution.run(job.id))
        await until(lambda: provider.requested and found_claimed)
        provider.answer.set()
        await running

    asyncio.run(both())
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert len(provider.requested) == 1
    assert Image.objects.filter(kind="result").count() == 1
    assert totals(actor) == (6, 0)


def test_a_seed_out_of_range_does_not_fail_a_good_result(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted(monkeypatch, Scripted(seed=2**80))
    _, job = submit()
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert (job.status, job.seed) == (Status.COMPLETED, None)


def test_an_internal_error_fails_the_job_instead_of_repeating_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Scripted):
        async def submit(self, request: EditRequest) -> Submitted:
            return Submitted(task_id="with a NUL \0 that PostgreSQL refuses")

    scripted(monkeypatch, Broken())
    actor, job = submit()
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "internal_error")
    assert totals(actor) == (10, 0)


def test_a_result_of_a_job_that_ended_meanwhile_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    class EndsIt(Scripted):
        async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
            await in_thread(outcomes.end_failed, job=await in_thread(Job.objects.get), code="x", message="x")
            return await super().poll(request, task)

    scripted(monkeypatch, EndsIt())
    actor, job = submit()
    asyncio.run(execution.run(job.id))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]  # type: ignore[attr-defined]
    assert files == []
    assert totals(actor) == (10, 0)


def test_an_unusable_result_is_not_requested_again(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, AtOnce(content=b"<html>"))
    actor, job = submit()
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert (job.status, job.error_code, len(provider.requested)) == (Status.FAILED, "unavailable", 1)
    assert totals(actor) == (10, 0)


def test_an_error_message_that_the_database_cannot_store_still_fails_the_job(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Mumbles(Scripted):
        async def submit(self, request: EditRequest) -> Submitted:
            raise failure(ErrorKind.INVALID_INPUT, provider_message="bad \0 \ud800 prompt")

    scripted(monkeypatch, Mumbles())
    actor, job = submit()
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert (job.status, job.error_code) == (Status.FAILED, "invalid_input")
    assert totals(actor) == (10, 0)


def test_progress_is_limited_to_a_hundred_percent(monkeypatch: pytest.MonkeyPatch) -> None:
    class Boasts(Scripted):
        polls = 0

        async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
            self.polls += 1
            return Progress(percent=150, wait=0.01) if self.polls == 1 else await super().poll(request, task)

    scripted(monkeypatch, Boasts())
    _, job = submit()
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert job.events.filter(percent=100).exists()


def test_a_run_whose_route_another_run_has_left_calls_no_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = scripted(monkeypatch, Scripted())
    _, job = submit()
    Job.objects.filter(pk=job.pk).update(provider="fal")
    with pytest.raises(RouteChanged):
        submission._claim(job)
    assert provider.requested == []
    assert Job.objects.get(pk=job.pk).submitting_at is None
