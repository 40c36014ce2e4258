"""Running jobs in the sandbox: each ends once, with correct credits."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.media import store
from editor.models import CreditAccount, Image, Job, JobEvent, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers.sandbox import adapter as sandbox
from tests.factories import make_actor, make_image
from tests.patience import until_found

pytestmark = pytest.mark.usefixtures("committed")


def submit(prompt: str = "make it black and white", **fields: Any) -> tuple[Actor, Job]:
    actor = make_actor(balance=10)
    image = make_image(actor)
    return actor, jobs.submit(
        actor=actor, request=NewEdit(**{"prompt": prompt, "image_ids": (image.id,), **fields})
    )


def run(job: Job) -> Job:
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    return job


def totals(actor: Actor) -> tuple[int, int]:
    account = CreditAccount.objects.get(workspace=actor.workspace)
    return account.balance, account.held


def kinds(job: Job) -> list[str]:
    return list(job.events.values_list("kind", flat=True))


def accepted(caplog: pytest.LogCaptureFixture) -> int:
    """How many edits the sandbox accepted, by its log."""
    return sum(record.getMessage().startswith("accepted task=") for record in caplog.records)


def test_a_job_runs_to_its_result(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "editor.sandbox")
    actor, job = submit()
    run(job)
    assert (job.status, job.charged) == (Status.COMPLETED, 4)
    assert totals(actor) == (6, 0)
    assert kinds(job)[:6] == [
        "task_queue",
        "task_accept",
        "task_assign",
        "task_preprocess_start",
        "task_preprocess_end",
        "task_start",
    ]
    assert kinds(job)[-2:] == ["task_postprocess_start", "task_postprocess_end"]
    result = Image.objects.get(kind="result")
    assert (result.version, result.parent, result.root) == (2, job.parent, job.parent)
    assert store.read(result.storage_name)
    assert store.read(store.thumbnail_name(result.storage_name, 160))
    assert accepted(caplog) == 1


def test_a_second_run_of_an_ended_job_does_nothing() -> None:
    actor, job = submit()
    run(job)
    before = kinds(job)
    run(job)
    assert kinds(job) == before
    assert totals(actor) == (6, 0)
    assert Image.objects.filter(kind="result").count() == 1


def test_concurrent_runs_store_one_result() -> None:
    actor, job = submit()

    async def twice() -> None:
        await asyncio.gather(execution.run(job.id), execution.run(job.id))

    asyncio.run(twice())
    job.refresh_from_db()
    assert job.status == Status.COMPLETED
    assert totals(actor) == (6, 0)
    assert Image.objects.filter(kind="result").count() == 1


@pytest.mark.parametrize(
    ("prompt", "code"),
    [
        ("[moderate] make it warmer", "moderated"),
        ("[fail] make it warmer", "unavailable"),
        ("[fail:submit] make it warmer", "unavailable"),
        ("do something unheard of", "invalid_input"),
    ],
)
def test_a_failed_job_has_an_error_and_costs_nothing(prompt: str, code: str) -> None:
    actor, job = submit(prompt)
    run(job)
    assert (job.status, job.error_code, job.charged) == (Status.FAILED, code, 0)
    assert job.error
    assert totals(actor) == (10, 0)
    assert kinds(job)[-1] == "task_error"


def test_a_job_that_never_finishes_times_out() -> None:
    actor, job = submit("[timeout] make it warmer")
    Job.objects.filter(pk=job.pk).update(time_limit=1)
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, "timeout")
    assert totals(actor) == (10, 0)


def test_a_run_that_finds_a_task_polls_without_submitting_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "editor.sandbox")
    _, job = submit("[slow:3600] make it black and white")
    interrupt(job, when=lambda row: row.provider_task_id is not None)
    assert accepted(caplog) == 1
    assert job.is_live
    Job.objects.filter(pk=job.pk).update(provider_state={"started_at": time.time() - 3600})
    run(job)
    assert job.status == Status.COMPLETED
    assert accepted(caplog) == 1


def test_a_lost_submit_is_not_repeated_where_that_could_cost_money(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a crash between the submit and storing its response."""
    from editor.providers import registry

    caplog.set_level(logging.INFO, "editor.sandbox")
    monkeypatch.setattr(registry.get("sandbox"), "idempotent", False, raising=False)
    actor, job = submit()
    now = timezone.now()
    long_ago = now - timedelta(minutes=2)
    Job.objects.filter(pk=job.pk).update(status=Status.PROCESSING, started_at=now, submitting_at=long_ago)
    run(job)
    assert (job.status, job.error_code) == (Status.FAILED, "unknown_outcome")
    assert totals(actor) == (10, 0)
    assert accepted(caplog) == 0


def test_cancelling_a_running_job_stops_it_and_refunds() -> None:
    actor, job = submit("[slow:120] make it warmer")

    async def go() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(job, lambda row: row.percent is not None)
        await in_thread(jobs.cancel, actor=actor, job=job)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(go())
    job.refresh_from_db()
    assert (job.status, job.charged) == (Status.CANCELED, 0)
    assert totals(actor) == (10, 0)
    assert kinds(job)[-1] == "task_cancel"


def test_a_job_can_be_resumed_after_its_worker_shut_down() -> None:
    actor, job = submit("[slow:120] make it warmer")
    interrupt(job, when=lambda row: row.percent is not None)
    assert job.is_live
    assert totals(actor) == (6, 4)


def test_a_cancel_request_found_at_the_start_cancels_the_job() -> None:
    actor, job = submit()
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=timezone.now())
    run(job)
    assert job.status == Status.CANCELED
    assert totals(actor) == (10, 0)


def test_several_samples_become_versions_side_by_side() -> None:
    actor, job = submit(tier="creative", inputs={"samples": 3, "seed": "7"})
    run(job)
    results = list(Image.objects.filter(kind="result").order_by("version"))
    assert [image.version for image in results] == [2, 3, 4]
    assert {image.parent_id for image in results} == {job.parent_id}
    assert job.charged == 6
    assert totals(actor) == (4, 0)


def test_text_to_image_starts_a_version_tree() -> None:
    actor = make_actor(balance=10)
    job = jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour at dawn"))
    run(job)
    image = Image.objects.get(kind="result")
    assert (image.version, image.parent, image.root) == (1, None, None)


def test_events_report_growing_percentages(monkeypatch: pytest.MonkeyPatch) -> None:
    # Each reading of the clock is a second later.
    monkeypatch.setattr(sandbox, "time", SimpleNamespace(time=itertools.count(1000.0).__next__))
    _, job = submit("[slow:3] make it warmer")
    run(job)
    percents = list(JobEvent.objects.filter(job=job, kind="task_output").values_list("percent", flat=True))
    assert len(percents) >= 3
    assert percents == sorted(filter(None, percents))
    assert percents[-1] == 100


async def until(job: Job, ready: Callable[[Job], bool]) -> None:
    async def look() -> bool:
        return ready(await in_thread(Job.objects.get, pk=job.pk))

    await until_found(look)


def interrupt(job: Job, *, when: Callable[[Job], bool]) -> None:
    """Run the job and cancel the run, as a worker that shuts down does."""

    async def go() -> None:
        running = asyncio.create_task(execution.run(job.id))
        await until(job, when)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(go())
    job.refresh_from_db()
