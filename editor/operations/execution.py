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

from django.db import DatabaseError, InterfaceError, transaction
from django.utils import timezone

from editor.db import in_thread
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


async def run(job_id: UUID) -> None:
    """Bring one job to its end, from wherever it stands.

    Raises only what the queue should try again: a database that went away.
    """
    started = await in_thread(_start, job_id)
    if started is None:
        return
    job, request = started
    try:
        result = await _drive(job, request)
        stored = await _store(job, result)
        await in_thread(jobs.end_completed, job=job, stored=stored, seed=result.seed)
    except asyncio.CancelledError:
        # A person canceled the job, or the worker is going down: only the row can tell.
        await asyncio.shield(_stopped(job))
        raise
    except EditorError as error:
        await in_thread(jobs.end_failed, job=job, code=error.code, message=error.message)
    except (DatabaseError, InterfaceError):
        raise
    except Exception:
        log.exception("job %s failed in a way that nobody foresaw", job.id)
        await in_thread(
            jobs.end_failed,
            job=job,
            code="internal_error",
            message="The portal itself failed on this edit. Nothing was charged. Try again, or ask for help.",
        )


def _start(job_id: UUID) -> tuple[Job, EditRequest] | None:
    """Take the job; None when there is nothing left to do."""
    with transaction.atomic():
        job = (
            Job.objects.select_for_update(of=("self",), no_key=True)
            .select_related("workspace", "created_by", "style", "character", "parent__root")
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
        prompt=jobs.prompt_for_provider(prompt=job.prompt, style=job.style, character=job.character),
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
    task = await _submitted(job, request, provider)
    assert job.started_at is not None
    deadline = job.started_at + timedelta(seconds=job.time_limit)
    told_percent, told_at = job.percent or 0, timezone.now()
    while True:
        update = await provider.poll(request, task)
        now = timezone.now()
        if isinstance(update, Result):
            return update
        if now >= deadline:
            await provider.cancel(task)
            raise ProviderError(
                ErrorKind.TIMEOUT,
                f"The provider did not finish within {job.time_limit} seconds. Try again.",
            )
        if _worth_telling(update, told_percent, (now - told_at).total_seconds()):
            told_percent, told_at = update.percent or 0, now
            await in_thread(timeline.record, job=job, kind=Kind.OUTPUT, percent=update.percent)
        await asyncio.sleep(max(0.02, min(update.wait, (deadline - now).total_seconds())))


def _worth_telling(update: Progress, told_percent: int, seconds: float) -> bool:
    if update.percent is None or update.percent <= told_percent:
        return False
    return update.percent >= told_percent + PROGRESS_STEP or seconds >= PROGRESS_PAUSE


async def _submitted(job: Job, request: EditRequest, provider: Provider) -> Submitted:
    """The provider's task for this job; asked for at most once unless repeating is harmless."""
    if job.provider_task_id:
        return Submitted(task_id=job.provider_task_id, state=job.provider_state)
    if not await in_thread(_claim_submit, job) and not provider.idempotent:
        raise ProviderError(
            ErrorKind.UNKNOWN_OUTCOME,
            "The portal stopped while it was handing this edit to the provider, so nobody knows whether "
            "the provider took it. It was not sent again. Nothing was charged.",
        )
    task = await provider.submit(request)
    await _save_task(job, task)
    return task


def _claim_submit(job: Job) -> bool:
    """Take the one right to submit. False when somebody had taken it before."""
    with transaction.atomic():
        claimed = Job.objects.filter(pk=job.pk, submitting_at=None).update(submitting_at=timezone.now())
        if claimed:
            timeline.record(job=job, kind=Kind.PREPROCESS_START)
            timeline.record(job=job, kind=Kind.PREPROCESS_END)
    return bool(claimed)


async def _save_task(job: Job, task: Submitted) -> None:
    """Losing this id would lose a paid task, so the save is tried until it succeeds."""

    def save() -> None:
        timeline.record(
            job=job, kind=Kind.START, provider_task_id=task.task_id, provider_state=dict(task.state)
        )

    pause = 0.2
    while True:
        try:
            return await in_thread(save)
        except (DatabaseError, InterfaceError):
            log.warning("job %s: its task id could not be saved; trying again in %s s", job.id, pause)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)


async def _store(job: Job, result: Result) -> list[images.Stored]:
    """Check what the provider gave, as strictly as any upload, and put it into the store."""
    if not result.images:
        raise ProviderError(
            ErrorKind.UNAVAILABLE, "The provider finished without an image. Nothing was charged. Try again."
        )
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
        if row.provider_task_id:
            task = Submitted(task_id=row.provider_task_id, state=row.provider_state)
            await registry.get(row.provider).cancel(task)
        await in_thread(jobs.end_canceled, job=row)
    except (DatabaseError, InterfaceError):
        log.warning("job %s was stopped while the database was away; it is taken up later", job.id)
