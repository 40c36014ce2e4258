"""One call: from what was sent to a job, whether a new one or that of an earlier same call."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import replace
from functools import partial
from uuid import UUID
from weakref import WeakKeyDictionary

from django.core.files.uploadedfile import UploadedFile

from editor import catalog
from editor.access import lookups
from editor.access.actor import Actor
from editor.catalog import validation
from editor.compat.openai import translate
from editor.compat.openai.errors import StillRunning, UnknownModel
from editor.compat.openai.forms import Form, in_field
from editor.compat.openai.translate import Asked
from editor.db import in_thread
from editor.errors import InvalidInput, Unprocessable
from editor.gate import intake, waiting
from editor.gate.outcome import failure
from editor.media import store
from editor.models import Job
from editor.operations import idempotency, jobs, pricing
from editor.operations.jobs import NewEdit
from editor.operations.pricing import Choice
from editor.operations.slots import Limit
from editor.queries import jobs as job_queries

LONGEST_HOLD = 300.0  # seconds
LONGEST_KEY = 80  # characters of an Idempotency-Key
IMAGES_AT_ONCE = 4  # in this process: each is held in memory while it is checked

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, Limit] = WeakKeyDictionary()


async def start(*, actor: Actor, form: Form, asked: Asked, key: str, is_retry: bool) -> Job:
    """The job that makes what is asked for, which an earlier same call may have started.

    key       an Idempotency-Key, "" where none came
    is_retry  the client got no answer to the same call before

    Raises EditorError; no job exists then and nothing was charged.
    """
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"An Idempotency-Key can have at most {LONGEST_KEY} printable ASCII characters.")
    repeated = None
    if key:
        repeated = await in_thread(idempotency.find, actor=actor, key=key, request_hash=form.digest)
    elif is_retry:
        repeated = await in_thread(idempotency.find_sent_before, actor=actor, request_hash=form.digest)
    if repeated:
        return repeated
    edit = await in_thread(_checked, actor, form, asked)
    edit = replace(edit, idempotency_key=key or None, request_hash=form.digest)
    mask = await _mask(actor, form.mask) if form.mask else None
    image_ids = [await _image(actor, image, number=at) for at, image in enumerate(form.images, start=1)]
    return await in_thread(_submit, actor, replace(edit, image_ids=tuple(image_ids), mask=mask))


async def ended(job: Job) -> Job:
    """The job with its results, when it has some. Raises EditorError if it gives nothing, or not in time."""
    reread = partial(job_queries.read, job.id)
    row = await waiting.until_ended(job, seconds=LONGEST_HOLD, reread=reread)
    check_ended(row)
    return row


def check_ended(job: Job) -> None:
    """Raise what became of a job that has no results."""
    if job.is_live:
        raise StillRunning(
            f"This edit is still running as job {job.id}. Find its result in the portal's gallery, "
            "or through the portal's own API. Without an Idempotency-Key, this request starts another edit."
        )
    if error := failure(job):
        raise error


def resolve(actor: Actor, name: str, *, prompt_only: bool) -> Choice:
    """What an alias, a tier, a model's id or "" stands for. Raises UnknownModel for what cannot run here.

    The choice has a tier where the tier's own model serves it: with a stand-in the model is what counts.
    """
    target = lookups.alias_target(name)
    entries = catalog.catalog()
    try:
        if not target:
            choice = pricing.choose(workspace=actor.workspace)
            target = choice.tier
        elif target in entries.models:
            return pricing.choose(workspace=actor.workspace, model=target)
        elif target in entries.tiers:
            choice = pricing.choose(workspace=actor.workspace, tier=target)
        else:
            raise UnknownModel(f"The model '{name[:100]}' does not exist.", fields={"model": "Unknown."})
        if not (prompt_only and target) or choice.model.text_to_image:
            return choice
        stand_in = pricing.choose(workspace=actor.workspace, tier=target, prompt_only=True)
    except Unprocessable as error:
        raise UnknownModel(
            f"The model '{name[:100]}' cannot run here. {error.message}", fields={"model": error.message}
        ) from None
    return replace(stand_in, tier="")


def _checked(actor: Actor, form: Form, asked: Asked) -> NewEdit:
    """The edit but for its images, which are not looked at before all else is right."""
    editing = bool(form.images)
    choice = resolve(actor, asked.model, prompt_only=not editing)
    edit = NewEdit(
        prompt=asked.prompt,
        model="" if choice.tier else choice.model.id,
        tier=choice.tier,
        inputs=translate.inputs(asked, choice.model, choice.route, editing=editing),
    )
    validation.check_images(choice.model, choice.route, len(form.images), form.mask is not None)
    jobs.check(actor=actor, request=edit)
    return edit


async def _image(actor: Actor, file: UploadedFile[bytes], *, number: int) -> UUID:
    with in_field("image", f"Invalid image file or mode for image {number}. "):
        async with _place(actor):
            return await intake.given(actor, await asyncio.to_thread(file.read), name=file.name or "")


async def _mask(actor: Actor, file: UploadedFile[bytes]) -> bytes:
    with in_field("mask"):
        async with _place(actor):
            content = await asyncio.to_thread(file.read)
            return await store.mask_from_transparency(content, tenant=str(actor.workspace.id))


def _place(actor: Actor) -> contextlib.AbstractAsyncContextManager[None]:
    places = _places.setdefault(asyncio.get_running_loop(), Limit(IMAGES_AT_ONCE))
    return places.held(str(actor.workspace.id), active=False)


def _submit(actor: Actor, edit: NewEdit) -> Job:
    with in_field("mask"):  # the images are checked already
        return jobs.submit(actor=actor, request=edit)
