"""A workspace with hundreds of jobs does not keep another one waiting."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

import pytest

from editor.access.actor import Actor
from editor.db import in_thread
from editor.models import Job, Status
from editor.operations import jobs
from editor.worker.runner import run_worker
from tests.factories import limit_jobs, make_actor, make_image, make_workspace

pytestmark = pytest.mark.usefixtures("committed")

CROWD = 300
SECONDS = 1.0  # that a workspace with a crowd of jobs may cost another one


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


def make_pair() -> tuple[Actor, Actor]:
    crowded = make_workspace(name="Crowded", balance=10_000)
    limit_jobs(crowded, concurrent_jobs=CROWD)
    return make_actor(crowded), make_actor(make_workspace(name="Quiet"))


@pytest.mark.parametrize("prompt", ["make it warmer", "[slow:5] make it warmer"], ids=["quick", "slow"])
async def test_three_hundred_jobs_delay_another_workspaces_first_by_a_second_at_most(prompt: str) -> None:
    crowded, quiet = await in_thread(make_pair)
    worker = asyncio.create_task(run_worker())
    try:
        alone = await one_job(quiet)
        await in_thread(submit, crowded, prompt, times=CROWD)
        beside = await one_job(quiet)
        left = await in_thread(Job.objects.filter(workspace=crowded.workspace, finished_at=None).count)
    finally:
        worker.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await worker
    figures = f"alone {alone}, beside {left} of {CROWD} jobs {beside}"
    print(figures)
    assert left > 0, f"nothing was left to wait for: {figures}"
    assert beside.start - alone.start < SECONDS, figures
    assert beside.end - alone.end < SECONDS, figures
