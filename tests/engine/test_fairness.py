"""A workspace with hundreds of jobs does not delay another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from editor.access.actor import Actor
from editor.concurrency import processes
from editor.concurrency.threads import in_thread
from editor.models import Job, Status
from editor.operations import jobs
from editor.worker.runner import run_worker
from tests.factories import limit_jobs, make_actor, make_image, make_workspace
from tests.patience import until_found

pytestmark = pytest.mark.usefixtures("committed")

# A child process imports the main module, here pytest: preloaded, children cost what they do in the portal.
processes.preload("pytest")

CROWD = 300
# The most jobs of the crowd that may start, or finish, before the job of another workspace: those that the
# worker had already fetched or was running. Without fairness it would be all of them.
OVERTAKING = CROWD // 3


def submit(actor: Actor, prompt: str, *, times: int = 1) -> Job:
    image = make_image(actor)
    for _ in range(times):
        job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt=prompt, image_ids=(image.id,)))
    return job


async def one_job(actor: Actor) -> Job:
    job = await in_thread(submit, actor, "make it black and white")

    async def has_ended() -> bool:
        return not (await in_thread(Job.objects.get, pk=job.pk)).is_live

    await until_found(has_ended)
    job = await in_thread(Job.objects.get, pk=job.pk)
    assert job.status == Status.COMPLETED
    return job


def overtaken_by(crowd: Actor, job: Job) -> tuple[int, int]:
    """How many of the crowd's jobs started, and finished, after the job's submit and before it did."""
    others = Job.objects.filter(workspace=crowd.workspace)
    return (
        others.filter(started_at__range=(job.created_at, job.started_at)).count(),
        others.filter(finished_at__range=(job.created_at, job.finished_at)).count(),
    )


def make_crowd() -> Actor:
    crowded = make_workspace(name="Crowded", balance=10_000)
    limit_jobs(crowded, concurrent_jobs=CROWD)
    actor = make_actor(crowded)
    submit(actor, "make it warmer", times=CROWD)
    return actor


@asynccontextmanager
async def working() -> AsyncIterator[None]:
    worker = asyncio.create_task(run_worker())
    try:
        yield
    finally:
        worker.cancel()
        await asyncio.gather(worker, return_exceptions=True)


async def test_three_hundred_jobs_hardly_delay_another_workspace() -> None:
    """Three other workspaces submit one after the other."""
    quiet = [await in_thread(make_actor, name=f"Quiet {number}") for number in range(4)]
    async with working():
        await one_job(quiet[0])  # warm up
    crowd = await in_thread(make_crowd)
    done = Job.objects.filter(workspace=crowd.workspace, status=Status.COMPLETED)
    async with working():
        await until_found(lambda: in_thread(done.count))
        beside = [await one_job(actor) for actor in quiet[1:]]
        overtaken = [await in_thread(overtaken_by, crowd, job) for job in beside]
        assert await in_thread(Job.objects.filter(workspace=crowd.workspace, finished_at=None).exists)
    assert max(max(counts) for counts in overtaken) <= OVERTAKING, overtaken
