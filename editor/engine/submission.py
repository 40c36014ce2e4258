"""Handing a job to its provider: once, unless the provider itself said that it did not take it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from editor.concurrency.threads import in_thread
from editor.engine import failover
from editor.engine.errors import JobEnded, RouteChanged
from editor.errors import EditorError
from editor.models import Job, JobEvent
from editor.operations import outcomes, timeline
from editor.providers import http, sent
from editor.providers.base import (
    EditRequest,
    ErrorKind,
    NotSent,
    Provider,
    ProviderError,
    Result,
    Submitted,
)
from editor.providers.failures import failure, not_sent
from editor.providers.redaction import keys_hidden
from editor.shortage import is_shortage, pauses
from editor.transient import is_passing

log = logging.getLogger("editor.jobs")

T = TypeVar("T")
Kind = JobEvent.Kind
Finish = Callable[[Result], Awaitable[None]]
# How long a run that is stopped waits for the answer to a submit, which may be a paid task's id.
SUBMIT_PATIENCE = 60  # seconds
SUBMIT_LIMIT = 330.0  # seconds; adapters have shorter ones
# A provider that takes no more for the moment is asked again, for so long in all.
BUSY_PATIENCE = 60  # seconds
BUSY_PAUSE = 2.0  # seconds, doubled each time, where the provider names none
# Pauses before a provider that failed to take the edit is asked again, where there is no other route.
FAILED_PAUSES = (1.0, 3.0)
# Whoever runs the job next may submit it again after these.
NOT_TAKEN = {ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.INSUFFICIENT_FUNDS}


async def submitted(job: Job, request: EditRequest, provider: Provider, *, finish: Finish) -> Submitted:
    """The provider's task for this job; asked for at most once unless it was refused for certain.

    finish  ends the job with the result of a provider that answers at once. It is called here, since
            such a result cannot be asked for again: stopping the run does not stop it

    Raises ProviderError; Ended or Moved when another run got ahead.
    """
    busy_for, failures, shortage = 0.0, 0, pauses()
    while True:
        async with _place(provider):
            task = await _claimed(job, provider)
            if task is not None:
                return task
            try:
                return await _uninterrupted(_once(job, request, provider, finish), job, provider)
            except ProviderError as error:
                if job.provider_task_id:
                    raise  # it was taken; what came of it is no reason to ask again
                if isinstance(error, NotSent):
                    pause = next(shortage)
                    log.warning("job %s waits %s s for system resources", job.id, pause)
                elif error.kind is ErrorKind.RATE_LIMITED:
                    pause = max(error.retry_after or 0.0, busy_for, BUSY_PAUSE)
                    busy_for += pause
                    if busy_for > BUSY_PATIENCE:
                        raise
                elif error.kind is ErrorKind.UNAVAILABLE and failures < len(FAILED_PAUSES):
                    if await in_thread(failover.routes_left, job=job):
                        raise
                    pause = FAILED_PAUSES[failures]
                    failures += 1
                else:
                    raise
        await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def _place(provider: Provider) -> AsyncIterator[None]:
    """One of the few places for requests that carry images, taken before the submit is claimed.

    An immediate provider's requests are bounded by its limits instead: they last long.
    """
    if provider.immediate or not provider.needs_key:
        yield
    else:
        async with http.submitting(provider.name):
            yield


async def _claimed(job: Job, provider: Provider) -> Submitted | None:
    """None: submit now, nobody else will. A task: it was submitted before."""
    waited = 0
    while not isinstance(task := await in_thread(_claim, job), Submitted):
        # Claimed before, perhaps by another worker that is at it this moment.
        if task or provider.idempotent:
            return None
        if waited >= SUBMIT_PATIENCE or await in_thread(_claimed_long_ago, job):
            raise ProviderError(
                ErrorKind.UNKNOWN_OUTCOME,
                "The portal stopped while it was sending this edit to the provider, so it is unknown "
                "whether the provider accepted it. It was not sent again.",
            )
        await asyncio.sleep(1)
        waited += 1
    return task


def _claim(job: Job) -> Submitted | bool:
    """True: the submit is ours. False: it was claimed before, outcome unknown. Or the task.

    Raises Ended when there is nothing to submit any more, Moved when the job is on another route.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if row.is_live and row.cancel_requested_at:
            outcomes.end_canceled(job=row)
        claimed = False
        if row.is_live and row.submitting_at is None and row.provider == job.provider:
            claimed = timeline.record(
                job=job,
                through=Kind.PREPROCESS_START,
                kind=Kind.PREPROCESS_END,
                submitting_at=timezone.now(),
            )
    # After the commit: an exception within would undo the cancellation.
    if not row.is_live:
        raise JobEnded
    if row.provider != job.provider:
        raise RouteChanged
    if claimed:
        return True
    job.submitting_at = row.submitting_at
    if row.provider_task_id:
        job.provider_task_id = row.provider_task_id
        return Submitted(task_id=row.provider_task_id, state=row.provider_state)
    return False


def _claimed_long_ago(job: Job) -> bool:
    before = timezone.now() - timedelta(seconds=SUBMIT_PATIENCE)
    return Job.objects.filter(pk=job.pk, submitting_at__lt=before).exists()


async def _once(job: Job, request: EditRequest, provider: Provider, finish: Finish) -> Submitted:
    """Submit, and save what came of it: the task's id, the result, or that it was not taken."""
    if provider.immediate:  # it is at work while the submit lasts
        await in_thread(timeline.record, job=job, kind=Kind.START)
    try:
        with keys_hidden(request.account):
            async with asyncio.timeout(SUBMIT_LIMIT):
                task = await _asked(request, provider)
    except TimeoutError:
        raise failure(ErrorKind.UNKNOWN_OUTCOME) from None
    except ProviderError as error:
        note = f"{provider.label}: {error.message}"
        if error.kind in NOT_TAKEN and not await _certainly(partial(_give_back, job, note)):
            raise JobEnded from error
        raise
    if not await _certainly(partial(_save, job, task, Kind.OUTPUT if provider.immediate else Kind.START)):
        # The job was ended meanwhile; nobody will fetch what the provider is making.
        await provider.cancel(request, task)
        raise JobEnded
    if task.result:
        await finish(task.result)
    return task


async def _asked(request: EditRequest, provider: Provider) -> Submitted:
    """Submit. Raises NotAsked where the machine lacked something before anything was sent."""
    with sent.submits() as addresses:
        try:
            return await provider.submit(request)
        except Exception as error:
            if not is_shortage(error):
                raise
            if addresses and not provider.idempotent:
                raise failure(ErrorKind.UNKNOWN_OUTCOME) from error
            raise not_sent() from error


def _give_back(job: Job, note: str) -> bool:
    """The provider said that it did not take the edit: it may be submitted again."""
    return timeline.record(job=job, kind=Kind.ASSIGN, note=note, submitting_at=None)


def _save(job: Job, task: Submitted, kind: JobEvent.Kind) -> bool:
    """False when the job has ended meanwhile."""
    return timeline.record(job=job, kind=kind, provider_task_id=task.task_id, provider_state=dict(task.state))


async def _uninterrupted(work: Coroutine[Any, Any, Submitted], job: Job, provider: Provider) -> Submitted:
    """Do the work to its end also when this run is stopped: the task may cost money."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if provider.immediate and await _canceled_by_a_person(job):
            working.cancel()  # there is no task to stop: closing the connection is all there is
        await asyncio.wait({working}, timeout=SUBMIT_PATIENCE)
        working.cancel()
        await asyncio.wait({working})
        error = None if working.cancelled() else working.exception()
        if isinstance(error, EditorError) and job.submitting_at:  # it was not given back
            await in_thread(outcomes.end_failed, job=job, code=error.code, message=error.message)
        elif error:
            log.info("job %s: its submit ended while the run was being stopped: %s", job.id, error)
        raise


async def _canceled_by_a_person(job: Job) -> bool:
    try:
        return await in_thread(Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists)
    except Exception as error:
        if not is_passing(error):
            raise
        return False


async def _certainly(write: Callable[[], T]) -> T:
    """Losing a task's id would lose a paid task: the write is tried until it works."""
    pause = 0.2
    while True:
        try:
            return await in_thread(write)
        except Exception as error:
            if not is_passing(error):
                raise
            log.warning("a submit's outcome could not be saved; trying again in %s s", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
