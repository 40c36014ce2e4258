"""Running a job: it is submitted at most once, and ends once.

`run` may be called any number of times for a job, also by two workers or after a crash: it
reads the row and does the remaining steps. While it waits it holds no thread and no
database connection.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor.concurrency.per_loop import PerLoop
from editor.concurrency.threads import in_storage_thread, in_thread, tenant, to_its_end
from editor.engine import failover, polling, provider_limits, requests, results, submission
from editor.engine.errors import JobEnded, RouteChanged
from editor.errors import EditorError
from editor.models import LIVE, Job, JobEvent, Status
from editor.operations import images, outcomes, timeline
from editor.providers import registry
from editor.providers.base import EditRequest, ErrorKind, ProviderError, Result, Submitted
from editor.shortage import is_shortage, pauses
from editor.transient import is_passing

log = logging.getLogger("editor.jobs")

Kind = JobEvent.Kind
# The provider may have finished a resumed job in the meantime: time to fetch the result.
RESUME_GRACE = 15  # seconds
# How many of a flood of jobs start at once, so that finished ones are stored first.
STARTS = 2
_starts = PerLoop(lambda: asyncio.Semaphore(STARTS))


async def run(job_id: UUID) -> None:
    """Run one job to its end, from whatever state it is in.

    Raises only errors that the queue should retry: see transient.py.
    """
    async with _starts.get():
        job = await in_thread(_start, job_id)
    if job is None:
        return
    tenant.set(str(job.workspace_id))
    try:
        await _drive(job)
    except asyncio.CancelledError:
        # A user canceled the job, or the worker is shutting down: only the row tells which.
        await asyncio.shield(_stopped(job))
        raise
    except JobEnded:
        log.info("job %s was already ended elsewhere", job.id)
    except EditorError as error:
        await in_thread(outcomes.end_failed, job=job, code=error.code, message=error.message)
    except Exception as error:
        if is_passing(error):
            raise
        log.exception("job %s failed unexpectedly", job.id)
        await in_thread(
            outcomes.end_failed,
            job=job,
            code="internal_error",
            message="The portal failed to run this edit. Try again, or ask an operator for help.",
        )


def _start(job_id: UUID) -> Job | None:
    """Start or resume the job; None when there is nothing left to do."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(of=("self",), no_key=True)
            .select_related("parent")
            .filter(pk=job_id, status__in=LIVE)
            .first()
        )
        if job is None:
            return None
        if job.cancel_requested_at:
            outcomes.end_canceled(job=job)
            return None
        if job.status == Status.PENDING:
            timeline.record(
                job=job,
                through=Kind.ACCEPT,
                kind=Kind.ASSIGN,
                note=job.provider,
                status=Status.PROCESSING,
                started_at=timezone.now(),
            )
        else:
            log.info("job %s resumes at %s", job.id, job.stage)
    return job


async def _drive(job: Job) -> None:
    """Run the job to its end, waiting out any shortage of system resources, however long.

    A task that the provider has accepted is then resumed, even after the job's time limit.
    """
    for pause in pauses():
        try:
            await _run(job)
            return
        except Exception as error:
            if not is_shortage(error):
                raise
            log.warning("job %s waits %s s for system resources: %r", job.id, pause, error)
        await asyncio.sleep(pause)
        await in_thread(job.refresh_from_db)


async def _run(job: Job) -> None:
    """Run the job to its end on its route, or on the next one if a provider did not accept it."""
    while True:
        request = await in_thread(requests.build, job)
        try:
            await _attempt(job, request)
            return
        except RouteChanged:
            await in_thread(job.refresh_from_db)
        except ProviderError as error:
            if job.provider_task_id or not await in_thread(failover.go_on, job=job, error=error):
                raise


async def _attempt(job: Job, request: EditRequest) -> None:
    """Submit unless already submitted, then poll until the result or the time limit."""
    provider = registry.get(job.provider)
    resumed = job.provider_task_id is not None
    async with provider_limits.slots(provider, request, active=resumed):
        task = await submission.submitted(job, request, provider, finish=partial(_finish_certainly, job))
        if task.result:
            return  # finished by the submit itself
        try:
            async with asyncio.timeout(_seconds_left(job, resumed=resumed)):
                result = await polling.follow(job, request, provider, task, resumed=resumed)
        except TimeoutError:
            await _cancel_at_provider(job)
            raise ProviderError(
                ErrorKind.TIMEOUT, f"The provider did not finish within {job.time_limit} seconds. Try again."
            ) from None
    await _finish(job, result)


def _seconds_left(job: Job, *, resumed: bool) -> float:
    """Seconds left of the job's time limit, which starts at the submit: queueing does not count."""
    assert job.submitting_at is not None
    deadline = job.submitting_at + timedelta(seconds=job.time_limit)
    return max((deadline - timezone.now()).total_seconds(), RESUME_GRACE if resumed else 0)


async def _finish_certainly(job: Job, result: Result) -> None:
    """Finish with a result that cannot be fetched again: retried until it is stored."""
    for pause in pauses():
        try:
            await _finish(job, result)
            return
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("job %s: its result could not be stored; trying again in %s s", job.id, pause)
        await asyncio.sleep(pause)


async def _finish(job: Job, result: Result) -> None:
    """Store the result and end the job. Leaves no files behind on failure."""
    if not await in_thread(timeline.record, job=job, kind=Kind.OUTPUT, percent=100):
        raise JobEnded
    stored = await results.keep(job=job, result=result)
    completed = False
    try:
        completed = await to_its_end(
            in_thread(
                outcomes.end_completed,
                job=job,
                stored=stored,
                seed=result.seed,
                provider_cost=result.cost,
            )
        )
    finally:
        if not completed:
            await asyncio.shield(in_storage_thread(images.discard_unnamed, stored=stored))


async def _stopped(job: Job) -> None:
    """After a cancellation: end the job if a user requested it, else leave it to be resumed."""
    try:
        row = await in_thread(Job.objects.get, pk=job.pk)
        if row.cancel_requested_at is None or not row.is_live:
            return
        await _cancel_at_provider(job)
        await in_thread(outcomes.end_canceled, job=row)
    except Exception as error:
        if not is_passing(error):
            raise
        log.warning(
            "job %s could not be ended while it was being stopped; it will resume later: %r", job.id, error
        )


async def _cancel_at_provider(job: Job) -> None:
    """Stop the job's task if its id is known; the row may have an id that this run never saw."""
    row = await in_thread(Job.objects.select_related("workspace").get, pk=job.pk)
    if row.provider_task_id:
        try:
            request = await in_thread(requests.build, row)
        except EditorError:
            return  # the key is gone, or cannot be read
        task = Submitted(task_id=row.provider_task_id, state=row.provider_state)
        await registry.get(row.provider).cancel(request, task)
