"""What a provider gave: no more than was asked for, checked, and put into the store."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

from botocore import exceptions as s3
from django.utils import timezone

from editor import disk
from editor.concurrency.threads import in_storage_thread, in_thread, to_its_end
from editor.errors import EditorError, chain
from editor.media import store
from editor.media.codec import BadImage, CleanImage
from editor.models import Job, JobEvent
from editor.operations import images
from editor.providers.base import ErrorKind, ProviderError, Result
from editor.shortage import Shortage, is_shortage

log = logging.getLogger("editor.jobs")

# How long a result that the provider has given waits for the storage to take it.
STORE_PATIENCE = timedelta(hours=1)
# Of a folder: they come again until somebody changes its rights.
_LASTING = (FileExistsError, NotADirectoryError, PermissionError)


class NotStored(EditorError):
    """The storage takes no files, and waiting for it has no or no longer a point."""

    code = "not_stored"


async def keep(*, job: Job, result: Result) -> list[images.Stored]:
    """Check the images as strictly as any upload and store those that can be used.

    Raises ProviderError where none can, Shortage when the storage takes none for the moment, and
    NotStored when that lasts: nothing is left behind then.
    """
    stored: list[images.Stored] = []

    def save(clean: CleanImage) -> None:
        stored.append(images.save(workspace_id=job.workspace_id, clean=clean))

    try:
        for clean in await _usable(job, result):
            await to_its_end(in_storage_thread(save, clean))
    except BaseException as error:
        # It is tried again, perhaps often: without this, a full disk would be filled further.
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
    """Whether the storage may take the same file later: it is full, away or overloaded."""
    # After a failure the storage is asked to delete the file; where that fails too, it hides the first.
    return is_shortage(error) or disk.is_cause(error) or any(map(_is_passing, chain(error)))


def _is_passing(cause: BaseException) -> bool:
    if isinstance(cause, s3.ClientError):
        return int(cause.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500
    if isinstance(cause, OSError):
        return not isinstance(cause, _LASTING)
    return isinstance(cause, s3.ConnectionError | s3.HTTPClientError)


def _has_waited(job: Job) -> bool:
    """Whether the result was there for the first time so long ago that it is given up."""
    before = timezone.now() - STORE_PATIENCE
    there = JobEvent.objects.filter(job=job, kind=JobEvent.Kind.OUTPUT, percent=100)
    return there.filter(created_at__lt=before).exists()


async def _usable(job: Job, result: Result) -> list[CleanImage]:
    """Of the first so many images as were asked for, those that are in order. Raises ProviderError."""
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
