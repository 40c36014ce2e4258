"""A provider's result: no more images than requested, checked and stored."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from django.utils import timezone

from editor import disk
from editor.concurrency.threads import in_storage_thread, in_thread, to_its_end
from editor.errors import EditorError, chain
from editor.media import store
from editor.media.codec import CleanImage
from editor.media.limits import BadImage
from editor.models import Job, JobEvent
from editor.operations import images
from editor.providers.base import ErrorKind, ProviderError, Result
from editor.shortage import Shortage, is_shortage

log = logging.getLogger("editor.jobs")

# How long a provider's result waits for the storage to accept it.
STORE_PATIENCE = timedelta(hours=1)
# Errors of a folder that persist until its permissions are changed.
_LASTING = (FileExistsError, NotADirectoryError, PermissionError)


class NotStored(EditorError):
    """The storage accepts no files, and waiting will not help, or no longer."""

    code = "not_stored"


async def keep(*, job: Job, result: Result) -> list[images.Stored]:
    """Check the images as strictly as any upload and store the usable ones.

    Raises ProviderError if none is usable, Shortage while the storage accepts no files, and
    NotStored if that lasts. Nothing is left behind on any of them.
    """
    stored: list[images.Stored] = []

    def save(clean: CleanImage) -> None:
        stored.append(images.save(workspace_id=job.workspace_id, clean=clean))

    try:
        for clean in await _usable(job, result):
            await to_its_end(in_storage_thread(save, clean))
    except BaseException as error:
        # This is retried, perhaps often: leftover files would fill a full disk further.
        await asyncio.shield(in_storage_thread(images.discard, stored=stored))
        if isinstance(error, ProviderError) or not isinstance(error, Exception):
            raise
        if _may_pass(error) and not await in_thread(_has_waited, job):
            raise Shortage("The storage does not accept files right now.") from error
        log.exception("job %s: its result could not be stored", job.id)
        raise NotStored(
            "The portal could not store the image. Try again later, or ask an operator for help."
        ) from error
    return stored


def _may_pass(error: Exception) -> bool:
    """Whether the storage may accept the same file later: it is full, unreachable or overloaded."""
    # After a failure the file is deleted; an error of the delete hides the first one.
    return is_shortage(error) or disk.is_cause(error) or any(map(_is_passing, chain(error)))


def _is_passing(cause: BaseException) -> bool:
    return isinstance(cause, OSError) and not isinstance(cause, _LASTING)


def _has_waited(job: Job) -> bool:
    """Whether the result first arrived more than STORE_PATIENCE ago."""
    before = timezone.now() - STORE_PATIENCE
    there = JobEvent.objects.filter(job=job, kind=JobEvent.Kind.OUTPUT, percent=100)
    return there.filter(created_at__lt=before).exists()


async def _usable(job: Job, result: Result) -> list[CleanImage]:
    """The usable ones of the first `job.samples` images. Raises ProviderError if there are none."""
    if not result.images:
        raise ProviderError(ErrorKind.UNAVAILABLE, "The provider returned no image. Try again.")
    usable: list[CleanImage] = []
    refusal = None
    for image in result.images[: job.samples]:
        try:
            usable.append(await store.verify(image.content, tenant=str(job.workspace_id)))
        except BadImage as error:
            log.warning("job %s: one of its images cannot be used: %s", job.id, error.message)
            refusal = error
    if refusal and not usable:
        raise ProviderError(
            ErrorKind.UNAVAILABLE, f"The provider's result could not be used. {refusal.message}"
        ) from refusal
    return usable
