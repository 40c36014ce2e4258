"""What a provider gave: no more than was asked for, checked, and put into the store."""

from __future__ import annotations

import asyncio
import logging

from editor.db import in_thread
from editor.media import store
from editor.media.codec import BadImage, CleanImage
from editor.models import Job
from editor.operations import images
from editor.providers.base import ErrorKind, ProviderError, Result
from editor.shortage import Shortage

log = logging.getLogger("editor.jobs")


async def keep(*, job: Job, result: Result) -> list[images.Stored]:
    """Check the images as strictly as any upload and store those that can be used.

    Raises ProviderError where none can, and Shortage when the storage takes none: nothing is left
    behind then.
    """
    usable = await _usable(job, result)
    stored: list[images.Stored] = []
    try:
        for clean in usable:
            stored.append(await in_thread(images.save, workspace_id=job.workspace_id, clean=clean))
    except BaseException as error:
        # It is tried again, perhaps often: without this, a full disk would be filled further.
        await asyncio.shield(in_thread(images.discard, stored=stored))
        if isinstance(error, Exception):
            raise Shortage("The storage takes no files for the moment.") from error
        raise
    return stored


def shortfall(*, job: Job, got: int, back: int) -> str:
    """What a job lacks that asked for more images than it `got`, or "". `back`: credits of its hold."""
    if got >= job.samples:
        return ""
    words = f"{got} of {job.samples} images could be used."
    if not back:
        return words
    return f"{words} {'1 credit' if back == 1 else f'{back:,} credits'} came back."


async def _usable(job: Job, result: Result) -> list[CleanImage]:
    """Of the first so many images as were asked for, those that are in order. Raises ProviderError."""
    if not result.images:
        raise ProviderError(ErrorKind.UNAVAILABLE, "The provider finished without an image. Try again.")
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
