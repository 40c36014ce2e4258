"""Submits a job to its provider: once, unless the provider itself reports that it did not accept it."""

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
# How long a stopped run waits for the response to a submit, which may be a paid task's id.
SUBMIT_PATIENCE = 60  # seconds
SUBMIT_LIMIT = 330.0  # seconds; adapters have shorter ones
# A busy provider is retried for this long in total.
BUSY_PATIENCE = 60  # seconds
BUSY_PAUSE = 2.0  # seconds, doubled each time, unless the provider names a pause
# Pauses before retrying a provider that failed to accept the edit, if there is no other route.
FAILED_PAUSES = (1.0, 3.0)
# After these the next run of the job may submit it again.
NOT_TAKEN = {ErrorKind.RATE_LIMITED, ErrorKind.UNAVAILABLE, ErrorKind.INSUFFICIENT_FUNDS}


async def submitted(job: Job, request: EditRequest, provider: Provider, *, finish: Finish) -> Submitted:
    """The provider's task for this job; submitted at most once unless it was certainly refused.

    finish  ends the job with the result of a provider that returns it at once. Called here, since
            such a result cannot be fetched again: stopping the run does not stop it

    Raises ProviderError; JobEnded or RouteChanged when another run got ahead.
    """
    busy_for, failures, shortage = 0.0, 0, pauses()
    while True:
        async with _submit_slot(provider):
            task = await _claimed(job, provider)
            if task is not None:
                return task
            try:
                return await _uninterrupted(_once(job, request, provider, finish), job, provider)
            except ProviderError as error:
                if job.provider_task_id:
                    raise  # it was accepted; its outcome is no reason to submit again
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
async def _submit_slot(provider: Provider) -> AsyncIterator[None]:
    """Hold one of the few slots for requests that carry images, acquired before the submit is claimed.

    An immediate provider's requests are bounded by its limits instead: they take long.
    """
    if provider.immediate or not provider.needs_key:
        yield
    else:
        async with http.submitting(provider.name):
            yield


async def _claimed(job: Job, provider: Provider) -> Submitted | None:
    """None if this run must submit; the task if it was submitted before."""
    waited = 0
    while not isinstance(task := await in_thread(_claim, job), Submitted):
        # Claimed before, perhaps by another worker that is submitting right now.
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
    """True if this run may submit, False if it was claimed before with an unknown outcome, or the task.

    Raises JobEnded when there is nothing left to submit, RouteChanged when the job is on another route, and
    NotOffered when an operator has switched off its route, and there is no other one.
    """
    with transaction.atomic():
        rows = Job.objects.select_for_update(no_key=True, of=("self",)).select_related("workspace")
        row = rows.get(pk=job.pk)
        if row.is_live and row.cancel_requested_at:
            outcomes.end_canceled(job=row)
        claimed = False
        is_here = row.is_live and row.submitting_at is None and row.provider == job.provider
        if is_here and not failover.leave_switched_off(job=row):
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
    """Submit and save the outcome: the task's id, the result, or that it was not accepted."""
    if provider.immediate:  # it works during the submit
        await in_thread(timeline.record, job=job, kind=Kind.START)
    try:
        with keys_hidden(request.account):
            async with asyncio.timeout(SUBMIT_LIMIT):
                task = await _send(request, provider)
    except TimeoutError:
        raise failure(ErrorKind.UNKNOWN_OUTCOME) from None
    except ProviderError as error:
        note = f"{provider.label}: {error.message}"
        if error.kind in NOT_TAKEN and not await _until_saved(partial(_release_claim, job, note)):
            raise JobEnded from error
        raise
    if not await _until_saved(partial(_save, job, task, Kind.OUTPUT if provider.immediate else Kind.START)):
        # The job has ended in the meantime; nobody will fetch the result.
        await provider.cancel(request, task)
        raise JobEnded
    if task.result:
        await finish(task.result)
    return task


async def _send(request: EditRequest, provider: Provider) -> Submitted:
    """Submit. Raises NotSent if system resources ran short before anything was sent."""
    with sent.submits() as addresses:
        try:
            return await provider.submit(request)
        except Exception as error:
            if not is_shortage(error):
                raise
            if addresses and not provider.idempotent:
                raise failure(ErrorKind.UNKNOWN_OUTCOME) from error
            raise not_sent() from error


def _release_claim(job: Job, note: str) -> bool:
    """The provider reported that it did not accept the edit: it may be submitted again."""
    return timeline.record(job=job, kind=Kind.ASSIGN, note=note, submitting_at=None)


def _save(job: Job, task: Submitted, kind: JobEvent.Kind) -> bool:
    """False if the job has ended in the meantime."""
    return timeline.record(job=job, kind=kind, provider_task_id=task.task_id, provider_state=dict(task.state))


async def _uninterrupted(work: Coroutine[Any, Any, Submitted], job: Job, provider: Provider) -> Submitted:
    """Finish the work even if this run is stopped: the task may cost money."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if provider.immediate and await _canceled_by_a_person(job):
            working.cancel()  # there is no task to stop: only the connection can be closed
        await asyncio.wait({working}, timeout=SUBMIT_PATIENCE)
        working.cancel()
        await asyncio.wait({working})
        error = None if working.cancelled() else working.exception()
        if isinstance(error, EditorError) and job.submitting_at:  # the claim was not released
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


async def _until_saved(write: Callable[[], T]) -> T:
    """Retry the write until it succeeds: losing a task's id would lose a paid task."""
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
