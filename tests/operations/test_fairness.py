"""A workspace with hundreds of jobs does not keep another one waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

import pytest

from editor import processes
from editor.access.actor import Actor
from editor.db import in_thread
from editor.models import Job, Status
from editor.operations import jobs
from editor.worker.runner import run_worker
from tests.factories import limit_jobs, make_actor, make_image, make_workspace

pytestmark = pytest.mark.usefixtures("committed")

# A child imports the main module, here pytest: loaded once, children cost what they do in the portal.
processes.preload("pytest")

CROWD = 300
# What a crowd of jobs may cost another workspace, on a machine that runs other tests too. Behind the crowd
# it would be seven seconds and more.
SECONDS = 2.5


@dataclass(frozen=True)
class Waited:
    """Seconds from submitting a job until it was taken, and until it was done."""

    start: float
    end: float


def submit(actor: Actor, prompt: str, *, times: int = 1) -> Job:
    image = make_image(actor)
    for _ in range(times):
        job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt=prompt, image_ids=(image.id,)))
    return job


async def one_job(actor: Actor) -> Waited:
    job = await in_thread(submit, actor, "make it black and white")
    while job.is_live:
        await asyncio.sleep(0.02)
        job = await in_thread(Job.objects.get, pk=job.pk)
    assert job.status == Status.COMPLETED and job.started_at and job.finished_at
    return Waited(
        start=(job.started_at - job.created_at).total_seconds(),
        end=(job.finished_at - job.created_at).total_seconds(),
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
    yield
    worker.cancel()
    await asyncio.gather(worker, return_exceptions=True)


async def test_three_hundred_jobs_hardly_delay_another_workspaces_first() -> None:
    """Three other workspaces come one after the other; the one in the middle counts, as machines are busy."""
    quiet = [await in_thread(make_actor, name=f"Quiet {number}") for number in range(4)]
    async with working():
        await one_job(quiet[0])  # what is loaded once is loaded
        alone = await one_job(quiet[0])
    crowded = await in_thread(make_crowd)
    async with working():
        await asyncio.sleep(1)
        beside = [await one_job(actor) for actor in quiet[1:]]
        left = await in_thread(Job.objects.filter(workspace=crowded.workspace, finished_at=None).count)
    start = median(waited.start for waited in beside) - alone.start
    end = median(waited.end for waited in beside) - alone.end
    figures = f"{start:.2f} s and {end:.2f} s later beside {left} jobs; alone {alone}, beside {beside}"
    assert left > CROWD / 2, f"there was no crowd: {figures}"
    assert start < SECONDS, figures
    assert end < SECONDS, figures
