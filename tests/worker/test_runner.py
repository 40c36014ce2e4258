"""The worker in the test's event loop: it works, stops, and survives database errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from django.db import OperationalError
from procrastinate.contrib.django import app

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution, housekeeping
from editor.models import CreditAccount, Job, Status
from editor.operations import jobs
from editor.operations.webhooks.callbacks import Callback
from editor.worker import runner
from editor.worker import webhooks as sending
from tests.factories import make_actor
from tests.patience import PATIENCE
from tests.patience import until as until_it_is_so
from tests.providers.hostile import hangs, hostile

pytestmark = pytest.mark.usefixtures("committed")


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    task = asyncio.create_task(runner.run_worker())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def submit(actor: Actor, prompt: str = "a quiet harbour", callback: Callback | None = None) -> Job:
    return jobs.submit(actor=actor, request=jobs.NewEdit(prompt=prompt, callback=callback))


async def until(job: Job, ready: Callable[[Job], Any]) -> Job:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        row = await in_thread(Job.objects.get, pk=job.pk)
        if ready(row):
            return row
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job is {row.status} at {row.stage}")


async def test_a_submitted_job_is_run() -> None:
    actor = await in_thread(make_actor, balance=10)
    async with working():
        before = await in_thread(submit, actor)
        after = await in_thread(submit, actor)
        for job in (before, after):
            await until(job, lambda row: row.status == Status.COMPLETED)
    account = await in_thread(CreditAccount.objects.get)
    assert (account.balance, account.held) == (2, 0)


async def test_every_queue_is_processed(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []

    async def record(worker_app: Any, name: str, *, at_once: int | None = None) -> None:
        worked.append(name)

    monkeypatch.setattr(runner, "_work_on", record)
    await runner._work()
    assert sorted(worked) == sorted({task.queue for task in app.tasks.values()} - {"builtin"})


async def test_jobs_do_not_wait_for_receivers_that_never_respond(
    loopback_is_allowed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "AT_ONCE", 2)
    monkeypatch.setattr(sending, "SECONDS", 2 * PATIENCE)
    actor = await in_thread(make_actor, balance=100)
    async with hostile(hangs) as one, hostile(hangs) as another, working():
        for server in (one, another):
            callback = Callback(url=server.url, secret="", origin="https://portal.example")
            await in_thread(submit, actor, callback=callback)
        await until_it_is_so(lambda: one.requests and another.requests)
        await until(await in_thread(submit, actor), lambda row: row.status == Status.COMPLETED)


async def test_canceling_stops_a_running_job_at_no_cost() -> None:
    actor = await in_thread(make_actor, balance=10)
    async with working():
        job = await in_thread(submit, actor, "[slow:3600] a quiet harbour")
        await until(job, lambda row: row.provider_task_id)
        await in_thread(jobs.cancel, actor=actor, job=job)
        await until(job, lambda row: row.status == Status.CANCELED)
    account = await in_thread(CreditAccount.objects.get)
    assert (account.balance, account.held) == (10, 0)


async def test_the_next_worker_resumes_the_job_of_a_stopped_one() -> None:
    actor = await in_thread(make_actor, balance=10)
    async with working():
        job = await in_thread(submit, actor, "[slow:3600] a quiet harbour")
        await until(job, lambda row: row.provider_task_id)
    left = await in_thread(Job.objects.get, pk=job.pk)
    assert left.status == Status.PROCESSING
    an_hour_later = {"started_at": time.time() - 3600}
    await in_thread(Job.objects.filter(pk=job.pk).update, provider_state=an_hour_later)
    async with working():
        done = await until(job, lambda row: not row.is_live)
    assert (done.status, done.provider_task_id) == (Status.COMPLETED, left.provider_task_id)


async def test_the_worker_restarts_after_a_database_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    work, failures = runner._work, iter([OperationalError("the server closed the connection")])

    async def fails_first() -> None:
        for failure in failures:
            raise failure
        await work()

    monkeypatch.setattr(runner, "_work", fails_first)
    monkeypatch.setattr(runner, "RESTART_AFTER", 0.05)
    actor = await in_thread(make_actor)
    async with working():
        job = await in_thread(submit, actor)
        await until(job, lambda row: row.status == Status.COMPLETED)
    assert "the worker lost its queue" in caplog.text


async def test_a_run_that_loses_the_database_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    run, failures = execution.run, iter([OperationalError("the server closed the connection")])

    async def fails_first(job_id: Any) -> None:
        for failure in failures:
            raise failure
        await run(job_id)

    monkeypatch.setattr("editor.worker.tasks.execution.run", fails_first)
    actor = await in_thread(make_actor)
    async with working():
        job = await in_thread(submit, actor)
        await until(job, lambda row: row.status == Status.COMPLETED)


async def test_a_failed_sweep_is_retried(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    swept = asyncio.Event()
    loop = asyncio.get_running_loop()
    failures = iter([OperationalError("the server closed the connection")])

    def sweep() -> int:
        for failure in failures:
            raise failure
        loop.call_soon_threadsafe(swept.set)
        return 0

    monkeypatch.setattr(housekeeping, "rescue", sweep)
    monkeypatch.setattr(runner, "RESCUE_EVERY", 0.05)
    async with working():
        await asyncio.wait_for(swept.wait(), PATIENCE)
    assert "a sweep failed" in caplog.text
