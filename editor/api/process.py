"""POST /process: one edit, from the request to the finished image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.http import HttpRequest

from editor.access.actor import Actor
from editor.api import schemas
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.errors import Conflict
from editor.gateway.requests import origin
from editor.media.inputs import ImageInput, Link
from editor.models import Job
from editor.operations import intake
from editor.operations.intake import Submission
from editor.operations.jobs import NewEdit
from editor.operations.webhooks import callbacks
from editor.operations.webhooks.callbacks import Callback
from editor.queries import jobs as job_queries


@dataclass(frozen=True, slots=True)
class Outcome:
    """The job as it is now, and whether an earlier call started it."""

    job: Job
    repeated: bool


async def process(request: HttpRequest, *, actor: Actor, body: schemas.ProcessIn, key: str) -> Outcome:
    """Start the edit and wait for its end, unless the caller requested `async`.

    key  an Idempotency-Key, or "": the same key with the same body is the same edit
    Raises EditorError; a job that ended without an image raises too, with `job_id` in the error.
    """
    asynchronous = body.asynchronous or _prefers_async(request.headers.get("prefer", ""))
    digest = hashlib.sha256(request.body).hexdigest() if key else ""
    submission = _submission(body, key=key, digest=digest, base_url=origin(request))
    job = await intake.submit(actor=actor, submission=submission)
    if job.repeated and job.is_live and not asynchronous:
        raise Conflict("The first call with this Idempotency-Key is still running. Get its job instead.")
    reread = partial(job_queries.read, job.id)
    if asynchronous:
        row = await in_thread(reread)
    else:
        row = await waiting.until_ended(job, seconds=settings.HOLD_SECONDS, reread=reread)
    return Outcome(job=row, repeated=job.repeated)


def _prefers_async(header: str) -> bool:
    """Whether a Prefer header contains respond-async. Other preferences are ignored."""
    names = (preference.partition(";")[0].strip() for preference in header.split(","))
    return "respond-async" in (name.lower() for name in names)


def _submission(body: schemas.ProcessIn, *, key: str, digest: str, base_url: str) -> Submission:
    edit = NewEdit(
        prompt=body.prompt,
        model=body.model or "",
        tier=body.model_tier or "",
        provider=body.provider,
        inputs=body.parameters,
        style_id=body.style_id,
        character_id=body.character_id,
        approval_message=(body.approval_message or "") if body.approval else None,
        quote_id=body.quote_id,
        idempotency_key=key or None,
        request_hash=digest,
        callback=_callback(body, base_url),
    )
    images: list[ImageInput] = list(body.image_ids)
    if body.image_id:
        images.insert(0, body.image_id)
    elif body.image_url is not None:
        images.insert(0, Link(body.image_url))
    return Submission(edit=edit, images=tuple(images), mask=body.mask_id)


def _callback(body: schemas.ProcessIn, base_url: str) -> Callback | None:
    secret = body.webhook_secret or ""
    if secret:
        callbacks.check_standard_secret(secret)
    return Callback(url=body.webhook_url, secret=secret, origin=base_url) if body.webhook_url else None
