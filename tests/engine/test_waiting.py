"""Waiting for a job's end without constant polling."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest
from channels.layers import get_channel_layer
from django.utils import timezone

from editor import events
from editor.access.actor import Actor
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.models import Job, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from tests.factories import make_actor
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")

HOUR = 3600.0


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def job(actor: Actor) -> Job:
    return jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour"))


class Waiting:
    """A caller that waits for the job. `reads`: the status at each read."""

    def __init__(self, job: Job, *, seconds: float = HOUR) -> None:
        self.reads: list[str] = []

        def reread() -> Job:
            row = job_queries.read(job.id)
            self.reads.append(row.status)
            return row

        self._task = asyncio.create_task(waiting.until_ended(job, seconds=seconds, reread=reread))

    async def began(self) -> None:
        """Wait until it has read the job once."""
        await until(lambda: self.reads)

    async def end(self) -> Job:
        return await asyncio.wait_for(self._task, PATIENCE)


async def until_listening(job: Job) -> None:
    await until(lambda: get_channel_layer().groups.get(events.group_name(job.workspace_id)))


async def test_the_end_of_a_job_ends_the_wait_immediately(
    actor: Actor, job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY", HOUR)
    waiter = Waiting(job)
    await waiter.began()
    await until_listening(job)
    await in_thread(jobs.cancel, actor=actor, job=job)
    assert (await waiter.end()).status == Status.CANCELED
    assert waiter.reads == [Status.PENDING, Status.CANCELED]


async def test_missed_ends_are_looked_up_without_a_tenant(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    tenants: list[str] = []
    look_up = job_queries.ended

    def ended(job_ids: list[UUID]) -> list[UUID]:
        tenants.append(threads.tenant.get())
        return look_up(job_ids)

    monkeypatch.setattr(waiting, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(job_queries, "ended", ended)
    threads.tenant.set("whoever came first")
    waiter = Waiting(job)
    await until(lambda: tenants)
    await in_thread(Job.objects.filter(pk=job.pk).update, status=Status.CANCELED, finished_at=timezone.now())
    await waiter.end()
    assert set(tenants) == {""}


async def test_an_end_without_an_event_is_found(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_EVERY", 0.05)
    waiter = Waiting(job)
    await waiter.began()
    ended = Job.objects.filter(pk=job.pk)
    await in_thread(ended.update, status=Status.CANCELED, finished_at=timezone.now())
    assert (await waiter.end()).status == Status.CANCELED


async def test_a_job_that_has_ended_is_not_waited_for(actor: Actor, job: Job) -> None:
    await in_thread(jobs.cancel, actor=actor, job=job)
    assert (await Waiting(job).end()).status == Status.CANCELED


async def test_after_the_timeout_the_job_is_returned_as_it_is(job: Job) -> None:
    assert (await Waiting(job, seconds=0.1).end()).status == Status.PENDING


async def test_waits_end_when_the_process_ends(job: Job) -> None:
    waiter = Waiting(job)
    await waiter.began()
    waiting.let_go()
    assert (await waiter.end()).is_live
    assert (await Waiting(job).end()).is_live  # later callers do not wait either


async def test_the_listener_stops_when_nobody_waits(actor: Actor, job: Job) -> None:
    many = [Waiting(job) for _ in range(20)]
    for waiter in many:
        await waiter.began()
    listener = waiting._listeners.get()
    assert len(listener.tasks) == 2
    await in_thread(jobs.cancel, actor=actor, job=job)
    for waiter in many:
        await waiter.end()
    assert (listener.tasks, dict(listener.watches), dict(listener.workspaces)) == ([], {}, {})
