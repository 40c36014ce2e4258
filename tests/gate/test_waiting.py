"""Waiting for a job's end without asking for it all the time."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from editor.access.actor import Actor
from editor.db import in_thread
from editor.gate import waiting
from editor.models import Job, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from tests.factories import make_actor

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def job(actor: Actor) -> Job:
    return jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour"))


def wait(job: Job, *, seconds: float) -> asyncio.Task[Job]:
    reread = partial(job_queries.read, job.id)
    return asyncio.create_task(waiting.until_ended(job, seconds=seconds, reread=reread))


async def until_listening() -> None:
    listener = waiting._listeners[asyncio.get_running_loop()]
    while not listener.channel:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)


async def test_the_end_is_told_at_once(actor: Actor, job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY", 60.0)
    task = wait(job, seconds=30)
    await asyncio.sleep(0.1)
    await until_listening()
    await in_thread(jobs.cancel, actor=actor, job=job)
    assert (await asyncio.wait_for(task, 2)).status == Status.CANCELED


async def test_an_end_that_nobody_told_is_found(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY", 0.05)
    task = wait(job, seconds=30)
    await asyncio.sleep(0.1)
    await in_thread(jobs.end_canceled, job=job)
    assert (await asyncio.wait_for(task, 2)).status == Status.CANCELED


async def test_a_job_that_has_ended_is_not_waited_for(actor: Actor, job: Job) -> None:
    await in_thread(jobs.cancel, actor=actor, job=job)
    assert (await asyncio.wait_for(wait(job, seconds=30), 1)).status == Status.CANCELED


async def test_after_the_time_the_job_is_given_as_it_stands(job: Job) -> None:
    assert (await asyncio.wait_for(wait(job, seconds=0.1), 2)).status == Status.PENDING


async def test_whoever_waits_is_let_go_when_the_process_ends(job: Job) -> None:
    task = wait(job, seconds=30)
    await asyncio.sleep(0.1)
    waiting.let_go()
    assert (await asyncio.wait_for(task, 1)).is_live
    assert (await asyncio.wait_for(wait(job, seconds=30), 1)).is_live  # also whoever comes after that


async def test_nobody_listens_when_nobody_waits(job: Job) -> None:
    tasks = [wait(job, seconds=0.2) for _ in range(20)]
    await asyncio.sleep(0.1)
    listener = waiting._listeners[asyncio.get_running_loop()]
    assert len(listener.tasks) == 2
    await asyncio.gather(*tasks)
    assert (listener.tasks, dict(listener.watches), dict(listener.workspaces)) == ([], {}, {})
