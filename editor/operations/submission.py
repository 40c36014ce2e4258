"""Handing a job to its provider: once, unless the provider itself said that it did not take it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from editor.db import in_thread
from editor.models import Job, JobEvent
from editor.operations import jobs, timeline
from editor.operations.ended import Ended
from editor.providers.base import EditRequest, ErrorKind, Provider, ProviderError, Submitted

log = logging.getLogger("editor.jobs")

T = TypeVar("T")
Kind = JobEvent.Kind
# How long a run that is stopped waits for the answer to a submit, which may be a paid task's id.
SUBMIT_PATIENCE = 60  # seconds
# A provider that takes no more for the moment is asked again, for so long in all.
BUSY_PATIENCE = 60  # seconds
BUSY_PAUSE = 2.0  # seconds, doubled each time, where the provider names none
# Pauses before a provider that failed to take the edit is asked again, where there is no other route.
FAILED_PAUSES = (1.0, 3.0)
# A database that went away; every other database error is a fault of ours that would come again.
DATABASE_LOST = (OperationalError, InterfaceError)


async def submitted(job: Job, request: EditRequest, provider: Provider, *, alone: bool) -> Submitted:
    """The provider's task for this job; asked for at most once unless it was refused for certain.

    alone  no other route can take the edit, so a provider that fails is asked again

    Raises ProviderError, or Ended when the job was ended meanwhile.
    """
    busy_for, failures = 0.0, 0
    while True:
        task = await _claimed(job, provider)
        if task is not None:
            return task
        try:
            return await _shielded(job, request, provider)
        except ProviderError as error:
            if error.kind is ErrorKind.RATE_LIMITED:
                pause = error.retry_after
                pause = max(BUSY_PAUSE, busy_for) if pause is None else max(pause, 0.1)
                busy_for += pause
                if busy_for > BUSY_PATIENCE:
                    raise
                note = f"{provider.label} is busy; it is asked again in {pause:.0f} s."
            elif error.kind is ErrorKind.UNAVAILABLE and alone and failures < len(FAILED_PAUSES):
                pause = FAILED_PAUSES[failures]
                failures += 1
                note = f"{provider.label} failed to take the edit; it is asked again in {pause:.0f} s."
            else:
                raise
        if not await _certainly(lambda note=note: _give_back(job, note)):  # type: ignore[misc]
            raise Ended
        await asyncio.sleep(pause)


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
                "The portal stopped while it was handing this edit to the provider, so nobody knows "
                "whether the provider took it. It was not sent again.",
            )
        await asyncio.sleep(1)
        waited += 1
    return task


def _claim(job: Job) -> Submitted | bool:
    """True: the submit is ours. False: it was claimed before, outcome unknown. Or the task.

    Raises Ended when there is nothing to submit any more.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if row.is_live and row.cancel_requested_at:
            jobs.end_canceled(job=row)
        if not row.is_live:
            raise Ended
        if row.provider_task_id:
            job.submitting_at = row.submitting_at
            return Submitted(task_id=row.provider_task_id, state=row.provider_state)
        if row.submitting_at:
            job.submitting_at = row.submitting_at
            return False
        timeline.record(job=job, kind=Kind.PREPROCESS_START, submitting_at=timezone.now())
        timeline.record(job=job, kind=Kind.PREPROCESS_END)
    return True


def _claimed_long_ago(job: Job) -> bool:
    before = timezone.now() - timedelta(seconds=SUBMIT_PATIENCE)
    return Job.objects.filter(pk=job.pk, submitting_at__lt=before).exists()


def _give_back(job: Job, note: str) -> bool:
    """The provider said that it did not take the edit: it may be submitted again."""
    return timeline.record(job=job, kind=Kind.ASSIGN, note=note, submitting_at=None)


async def _shielded(job: Job, request: EditRequest, provider: Provider) -> Submitted:
    """Submit and save the task's id, also while the run is being stopped: the task may cost money."""
    submitting = asyncio.ensure_future(_submit(job, request, provider))
    try:
        return await asyncio.shield(submitting)
    except asyncio.CancelledError:
        if provider.immediate and await in_thread(_cancel_requested, job):
            submitting.cancel()  # there is no task to stop: closing the connection is all there is
        await asyncio.wait({submitting}, timeout=SUBMIT_PATIENCE)
        if submitting.done() and not submitting.cancelled():
            if error := submitting.exception():
                log.info("job %s: its submit failed while it was being stopped: %s", job.id, error)
            elif submitting.result().result:
                raise StoppedWithResult(submitting.result()) from None
        raise


class StoppedWithResult(asyncio.CancelledError):
    """The run was stopped, and a result came that cannot be asked for a second time."""

    def __init__(self, task: Submitted) -> None:
        super().__init__()
        self.task = task


def _cancel_requested(job: Job) -> bool:
    return Job.objects.filter(pk=job.pk, cancel_requested_at__isnull=False).exists()


async def _submit(job: Job, request: EditRequest, provider: Provider) -> Submitted:
    if provider.immediate:  # it is at work while the submit lasts
        await in_thread(timeline.record, job=job, kind=Kind.START)
    task = await provider.submit(request)
    kind = Kind.OUTPUT if provider.immediate else Kind.START
    saved = await _certainly(
        lambda: timeline.record(
            job=job, kind=kind, provider_task_id=task.task_id, provider_state=dict(task.state)
        )
    )
    if not saved:
        # The job was ended meanwhile; nobody will fetch what the provider is making.
        await provider.cancel(request, task)
        raise Ended
    return task


async def _certainly(write: Callable[[], T]) -> T:
    """Losing a task's id would lose a paid task: the write is tried until the database is back."""
    pause = 0.2
    while True:
        try:
            return await in_thread(write)
        except DATABASE_LOST:
            log.warning("a submit's outcome could not be saved; trying again in %s s", pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)
