"""POST /process: one edit, from the request to the finished image."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from functools import partial
from uuid import UUID

from django.http import HttpRequest

from editor.access import lookups
from editor.access.actor import Actor
from editor.api import schemas
from editor.db import in_thread
from editor.errors import Conflict, InvalidInput
from editor.gate import intake, waiting
from editor.gate.requests import origin
from editor.media import store
from editor.models import Job
from editor.operations import callbacks, idempotency, jobs, uploads
from editor.operations.callbacks import Callback
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries

LONGEST_HOLD = 300.0  # seconds
LONGEST_KEY = 80  # characters of an Idempotency-Key


@dataclass(frozen=True, slots=True)
class Outcome:
    """What to answer: the job as it is, and whether an earlier call started it."""

    job: Job
    repeated: bool


async def process(request: HttpRequest, *, actor: Actor, body: schemas.ProcessIn, key: str) -> Outcome:
    """Start the edit and wait for its end, unless the caller asked not to.

    key  an Idempotency-Key, or "": the same key with the same body is the same edit
    Raises EditorError; a job that ended without an image raises too, with `job_id` in the error.
    """
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"An Idempotency-Key can have at most {LONGEST_KEY} printable ASCII characters.")
    asynchronous = body.asynchronous or _prefers_async(request.headers.get("prefer", ""))
    digest = hashlib.sha256(request.body).hexdigest() if key else ""
    job = None
    if key:
        job = await in_thread(idempotency.find, actor=actor, key=key, request_hash=digest)
    if job is None:
        job = await _start(actor=actor, body=body, key=key, digest=digest, at=origin(request))
    if job.repeated and job.is_live and not asynchronous:
        raise Conflict("The first call with this Idempotency-Key is still running. Get its job instead.")
    reread = partial(job_queries.read, job.id)
    if asynchronous:
        row = await in_thread(reread)
    else:
        row = await waiting.until_ended(job, seconds=LONGEST_HOLD, reread=reread)
    return Outcome(job=row, repeated=job.repeated)


def _prefers_async(header: str) -> bool:
    """Whether a Prefer header asks for it, perhaps among other preferences, which are left aside."""
    names = (preference.partition(";")[0].strip() for preference in header.split(","))
    return "respond-async" in (name.lower() for name in names)


async def _start(*, actor: Actor, body: schemas.ProcessIn, key: str, digest: str, at: str) -> Job:
    edit = NewEdit(
        prompt=body.prompt,
        model=body.model or "",
        tier=body.model_tier or "",
        provider=body.provider,
        inputs=body.parameters,
        style_id=body.style_id,
        character_id=body.character_id,
        idempotency_key=key or None,
        request_hash=digest,
        callback=_callback(body, at),
    )
    image_ids = list(body.image_ids)
    if body.image_id:
        image_ids.insert(0, body.image_id)
    elif body.image_url is not None:
        await in_thread(jobs.check, actor=actor, request=edit)
        image_ids.insert(0, await intake.fetched(actor, body.image_url))
    await uploads.claim(actor=actor, image_ids=[*image_ids, *([body.mask_id] if body.mask_id else [])])
    return await in_thread(_submit, actor, replace(edit, image_ids=tuple(image_ids)), body.mask_id)


def _callback(body: schemas.ProcessIn, at: str) -> Callback | None:
    secret = body.webhook_secret or ""
    if secret:
        callbacks.check_standard_secret(secret)
    return Callback(url=body.webhook_url, secret=secret, origin=at) if body.webhook_url else None


def _submit(actor: Actor, edit: NewEdit, mask_id: UUID | None) -> Job:
    if mask_id:
        edit = replace(edit, mask=store.read(lookups.image(actor, mask_id).storage_name))
    return jobs.submit(actor=actor, request=edit)
