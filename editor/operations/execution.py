"""How a job runs: once submitted, never submitted again; once ended, ended for good.

`run` may be called any number of times for a job, also by two workers or after a crash: it
looks at the row and does what is left to do. While it waits it holds no thread and no
database connection.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone

from editor.db import in_thread, tenant
from editor.errors import EditorError
from editor.media import store
from editor.media.codec import BadImage
from editor.models import LIVE, Image, Job, JobEvent, JobImage, Status
from editor.operations import images, jobs, timeline
from editor.providers import registry
from editor.providers.base import (
    EditRequest,
    ErrorKind,
    InputImage,
    Progress,
    Provider,
    ProviderError,
    Result,
    Submitted,
)

log = logging.getLogger("editor.jobs")

Kind = JobEvent.Kind
# A step in between is told when it is this much further (percent) or this much later (seconds).
PROGRESS_STEP = 5
PROGRESS_PAUSE = 0.5
# A job that is taken up again may have been finished by the provider meanwhile: time to fetch it.
RESUME_GRACE = 15  # seconds
# How long a run that is stopped waits for the answer to a submit, which may be a paid task's id.
SUBMIT_PATIENCE = 60  # seconds
# A database that went away; every other database error is a fault of ours that would come again.
DATABASE_LOST = (OperationalError, InterfaceError)


class Ended(Exception):
    """The job was ended by somebody else while this run was under way."""


async def run(job_id: UUID) -> None:
    """Bring one job to its end, from wherever it stands.

    Raises only what the queue should try again: a database that went away.
    """
    started = await in_thread(_start, job_id)
    if started is None:
        return
    job, request = started
    tenant.set(request.tenant)
    try:
        result = await _drive(job, request)
        stored = await _store(job, result)
        if not await in_thread(jobs.end_completed, job=job, stored=stored, seed=result.seed):
            await in_thread(images.discard, stored=stored)
    except asyncio.CancelledError:
        # A person canceled the job, or the worker is going down: only the row can tell.
        await asyncio.shield(_stopped(job))
        raise
    except Ended:
        log.info("job %s was ended by somebody else", job.id)
    except EditorError as error:
        await in_thread(jobs.end_failed, job=job, code=error.code, message=error.message)
    except DATABASE_LOST:
        raise
    except Exception:
        log.exception("job %s failed in a way that nobody foresaw", job.id)
        await in_thread(
            jobs.end_failed,
            job=job,
            code="internal_error",
            message="The portal itself failed on this edit. Try again, or ask an operator for help.",
        )


def _start(job_id: UUID) -> tuple[Job, EditRequest] | None:
    """Take the job; None when there is nothing left to do."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(of=("self",), no_key=True)
            .select_related("workspace", "created_by", "parent__root")
            .filter(pk=job_id, status__in=LIVE)
            .first()
        )
        if job is None:
            return None
        if job.cancel_requested_at:
            jobs.end_canceled(job=job)
            return None
        if job.status == Status.PENDING:
            timeline.record(job=job, kind=Kind.ACCEPT, status=Status.PROCESSING, started_at=timezone.now())
            timeline.record(job=job, kind=Kind.ASSIGN, note=job.provider)
        else:
            log.info("job %s is taken up again at %s", job.id, job.stage)
    return job, _build_request(job)


def _build_request(job: Job) -> EditRequest:
    used = list(job.job_images.select_related("image").order_by("position"))
    return EditRequest(
        job_id=str(job.id),
        tenant=str(job.workspace_id),
        model=job.model,
        target=job.target,
        prompt=job.sent_prompt,
        images=tuple(_input(item.image) for item in used if item.role != JobImage.Role.MASK),
        mask=next((_input(item.image) for item in used if item.role == JobImage.Role.MASK), None),
        inputs=job.inputs,
    )


def _input(image: Image) -> InputImage:
    return InputImage(
        content_type=image.content_type,
        width=image.width,
        height=image.height,
        load=partial(in_thread, store.read, image.storage_name),
    )


async def _drive(job: Job, request: EditRequest) -> Result:
    """Submit where that has not happened, then poll until the result or the time limit."""
    provider = registry.get(job.provider)
    assert job.started_at is not None
    deadline = job.started_at + timedelta(seconds=job.time_limit)
    seconds = max((deadline - timezone.now()).total_seconds(), RESUME_GRACE if job.provider_task_id else 0)
    try:
        async with asyncio.timeout(seconds):
            task = await _submitted(job, request, provider)
            return await _poll(job, request, provider, task)
    except TimeoutError:
        await _cancel_at_provider(job)
        raise ProviderError(
            ErrorKind.TIMEOUT, f"The provider did not finish within {job.time_limit} seconds. Try again."
        ) from None


async def _poll(job: Job, request: EditRequest, provider: Provider, task: Submitted) -> Result:
    told_percent, told_at = job.percent or 0, timezone.now()
    while True:
        update = await provider.poll(request, task)
        if isinstance(update, Result):
            return update
        now = timezone.now()
        if _worth_telling(update, told_percent, (now - told_at).total_seconds()):
            told_percent, told_at = update.percent or 0, now
            if not await in_thread(timeline.record, job=job, kind=Kind.OUTPUT, percent=update.percent):
                await provider.cancel(task)
                raise Ended
        await asyncio.sleep(max(0.02, update.wait))


def _worth_telling(update: Progress, told_percent: int, seconds: float) -> bool:
    if update.percent is None or update.percent <= told_percent:
        return False
    return update.percent >= told_percent + PROGRESS_STEP or seconds >= PROGRESS_PAUSE


async def _submitted(job: Job, request: EditRequest, provider: Provider) -> Submitted:
    """The provider's task for this job; asked for at most once unless repeating is harmless."""
    waited = 0
    while (task := await in_thread(_claim_submit, job)) is None:
        # Somebody claimed the submit before. Perhaps another worker is at it this moment.
        if provider.idempotent:
            break
        if waited >= SUBMIT_PATIENCE or await in_thread(_claimed_long_ago, job):
            raise ProviderError(
                ErrorKind.UNKNOWN_OUTCOME,
                "The portal stopped while it was handing this edit to the provider, so nobody knows "
                "whether the provider took it. It was not sent again.",
            )
        await asyncio.sleep(1)
        waited += 1
    if isinstance(task, Submitted):
        return task
    # A run that is stopped must not lose the id of a task that may cost money: the submit goes on.
    submitting = asyncio.ensure_future(_submit(job, request, provider))
    try:
        return await asyncio.shield(submitting)
    except asyncio.CancelledError:
        await asyncio.wait({submitting}, timeout=SUBMIT_PATIENCE)
        if submitting.done() and not submitting.cancelled() and (error := submitting.exception()):
            log.info("job %s: its submit failed while it was being stopped: %s", job.id, error)
        raise


def _claim_submit(job: Job) -> Submitted | bool | None:
    """True: submit now, nobody else will. A task: it was submitted before. None: claimed, outcome unknown.

    Raises Ended when there is nothing to submit any more.
    """
    with transaction.atomic():
        row = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if row.is_live and row.cancel_requested_at:
            jobs.end_canceled(job=row)
        if not row.is_live:
            raise Ended
        if row.provider_task_id:
            return Submitted(task_id=row.provider_task_id, state=row.provider_state)
        if row.submitting_at:
            return None
        now = timezone.now()
        timeline.record(job=job, kind=Kind.PREPROCESS_START, submitting_at=now)
        timeline.record(job=job, kind=Kind.PREPROCESS_END)
    return True


def _claimed_long_ago(job: Job) -> bool:
    before = timezone.now() - timedelta(seconds=SUBMIT_PATIENCE)
    return Job.objects.filter(pk=job.pk, submitting_at__lt=before).exists()


async def _submit(job: Job, request: EditRequest, provider: Provider) -> Submitted:
    task = await provider.submit(request)
    if not await _save_task(job, task):
        # The job was ended meanwhile; nobody will fetch what the provider is making.
        await provider.cancel(task)
        raise Ended
    return task


async def _save_task(job: Job, task: Submitted) -> bool:
    """Losing this id would lose a paid task: the save is tried until the database is back.

    False when the job has ended meanwhile.
    """
    pause = 0.2
    while True:
        try:
            return await in_thread(
                timeline.record,
                job=job,
                kind=Kind.START,
                provider_task_id=task.task_id,
                provider_state=dict(task.state),
            )
        except DATABASE_LOST:
            log.warning("job %s: its task id could not be saved; trying again in %s s", job.id, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)


async def _store(job: Job, result: Result) -> list[images.Stored]:
    """Check what the provider gave, as strictly as any upload, and put it into the store."""
    if not result.images:
        raise ProviderError(ErrorKind.UNAVAILABLE, "The provider finished without an image. Try again.")
    await in_thread(timeline.record, job=job, kind=Kind.OUTPUT, percent=100)
    try:
        # The bytes decide what it is: providers are not always right about their own content types.
        checked = [
            await store.aclean(image.content, None, tenant=str(job.workspace_id)) for image in result.images
        ]
    except BadImage as error:
        raise ProviderError(
            ErrorKind.UNAVAILABLE, f"The provider's result could not be used. {error.message}"
        ) from error
    await in_thread(timeline.record, job=job, kind=Kind.POSTPROCESS_START)
    return [await in_thread(images.save, workspace=job.workspace, clean=clean) for clean in checked]


async def _stopped(job: Job) -> None:
    """After a cancellation: end the job if a person asked for it, else leave it to be resumed."""
    try:
        row = await in_thread(Job.objects.get, pk=job.pk)
        if row.cancel_requested_at is None or not row.is_live:
            return
        await _cancel_at_provider(row)
        await in_thread(jobs.end_canceled, job=row)
    except DATABASE_LOST:
        log.warning("job %s was stopped while the database was away; it is taken up later", job.id)


async def _cancel_at_provider(job: Job) -> None:
    """Stop the job's task where its id is known; the run at hand may not have got to know it."""
    row = await in_thread(Job.objects.get, pk=job.pk)
    if row.provider_task_id:
        task = Submitted(task_id=row.provider_task_id, state=row.provider_state)
        await registry.get(row.provider).cancel(task)
