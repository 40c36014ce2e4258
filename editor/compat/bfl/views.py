"""BFL's API: submit an edit, ask how it is, ask for the credits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID
from weakref import WeakKeyDictionary

from django.http import Http404, HttpRequest, HttpResponseNotAllowed, JsonResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from editor.access import credentials, lookups
from editor.access.actor import Actor
from editor.access.scopes import READ, WRITE
from editor.compat.bfl import polling, translate
from editor.compat.bfl.errors import WrongFields
from editor.compat.bfl.translate import Endpoint, Wish
from editor.contexts import bfl
from editor.db import in_storage_thread, in_thread
from editor.errors import InvalidInput, NotFound
from editor.gate import intake
from editor.gate.requests import caller, origin, whole_body
from editor.media import safe_fetch
from editor.models import Job
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.operations.slots import Limit
from editor.queries import credits as credit_queries
from editor.queries import jobs as job_queries

# A body with images takes about four times its size in memory until they are stored.
LARGE = 1024 * 1024  # bytes
LARGE_AT_ONCE = 2  # in this process
_large: WeakKeyDictionary[asyncio.AbstractEventLoop, Limit] = WeakKeyDictionary()


async def submit(request: HttpRequest, target: str) -> HttpResponseBase:
    """Start an edit with the model that BFL has under this name. Answers at once."""
    endpoint = translate.endpoint(target)
    if endpoint is None:
        raise Http404
    if request.method != "POST":
        return HttpResponseNotAllowed(["POST"])
    who = caller(request)
    who.require(WRITE)
    try:
        job, pixels = await _start(request, endpoint, who.actor)
    except InvalidInput as error:
        raise translate.in_their_names(endpoint, error) from error
    at = origin(request)
    url = polling.address(job.id, at=at)
    return JsonResponse(translate.submitted(job, input_pixels=pixels, polling_url=url))


@require_GET
async def result(request: HttpRequest) -> JsonResponse:
    """How a task is. Whoever has not the address that its submit answered needs the workspace's key.

    The address works as long as the key that it was made for.
    """
    task = request.GET.get("id")
    if task is None:
        missing = {"type": "missing", "loc": ["query", "id"], "msg": "Field required", "input": None}
        raise WrongFields([missing])
    actor = None
    if not polling.verify(task, request.GET.get(polling.SIGNATURE, "")):
        who = caller(request)
        who.require(READ)
        actor = who.actor
    try:
        job = await in_thread(_read, actor, task)
    except NotFound:
        return JsonResponse(bfl.not_found(task), status=404)
    body = bfl.result(job, at=origin(request))
    return JsonResponse(body, status=404 if body["status"] == bfl.NOT_FOUND else 200)


@require_GET
async def credits(request: HttpRequest) -> JsonResponse:
    who = caller(request)
    who.require(READ)
    return JsonResponse({"credits": await in_thread(credit_queries.balance, who.actor.workspace)})


@asynccontextmanager
async def _place(request: HttpRequest, actor: Actor) -> AsyncIterator[None]:
    """One of the few places for large bodies; others need none."""
    if not _is_large(request):
        yield
        return
    places = _large.setdefault(asyncio.get_running_loop(), Limit(LARGE_AT_ONCE))
    async with places.held(str(actor.workspace.id), active=False):
        yield


def _is_large(request: HttpRequest) -> bool:
    """Also one whose length nobody told."""
    length = request.META.get("CONTENT_LENGTH") or ""
    return not 0 < len(length) <= len(str(LARGE)) or int(length) > LARGE


async def _start(request: HttpRequest, endpoint: Endpoint, actor: Actor) -> tuple[Job, int]:
    """The job, and the pixels of its images. Nothing is decoded or fetched before the cheap checks."""
    async with _place(request, actor):
        wish = await in_thread(_understand, request, endpoint)
        await in_thread(jobs.check, actor=actor, request=wish.edit)
        addresses = {field: text for field, text in wish.images.items() if translate.is_address(text)}
        mask_at = wish.mask if wish.mask and translate.is_address(wish.mask) else ""
        if not addresses and not mask_at:
            return await _take(actor, wish, {}, None)
    # Others' servers may be slow: until they have answered neither the place nor the images are kept.
    del wish
    fetched = {field: await _image(actor, field, address) for field, address in addresses.items()}
    mask = await _mask(mask_at) if mask_at else None
    async with _place(request, actor):
        return await _take(actor, await in_thread(_understand, request, endpoint), fetched, mask)


async def _take(actor: Actor, wish: Wish, fetched: Mapping[str, UUID], mask: bytes | None) -> tuple[Job, int]:
    """The job of a wish, with what was fetched for it already."""
    image_ids = tuple(
        [fetched.get(field) or await _image(actor, field, text) for field, text in wish.images.items()]
    )
    if wish.mask and mask is None:
        mask = await _mask(wish.mask)
    run = in_storage_thread if mask else in_thread
    return await run(_submit, actor, wish.edit, image_ids, mask)


def _understand(request: HttpRequest, endpoint: Endpoint) -> Wish:
    return translate.read(endpoint, whole_body(request), origin=origin(request))


def _submit(actor: Actor, edit: NewEdit, image_ids: tuple[UUID, ...], mask: bytes | None) -> tuple[Job, int]:
    job = jobs.submit(actor=actor, request=replace(edit, image_ids=image_ids, mask=mask))
    return job, job_queries.input_pixels(job.id)


async def _image(actor: Actor, field: str, text: str) -> UUID:
    try:
        if translate.is_address(text):
            return await intake.fetched(actor, text)
        return await intake.given(actor, await in_thread(translate.decoded, text))
    except InvalidInput as error:
        raise InvalidInput(f"{field}: {error.message}") from error


async def _mask(text: str) -> bytes:
    try:
        if translate.is_address(text):
            return (await safe_fetch.fetch(text))[0]
        return await in_thread(translate.decoded, text)
    except InvalidInput as error:
        raise InvalidInput(f"mask: {error.message}") from error


def _read(actor: Actor | None, task: str) -> Job:
    """The job and its results; without an actor, the address itself is the right to see it.

    Raises NotFound, and what `credentials.check_job` raises.
    """
    if actor:
        job = lookups.job(actor, task)
    else:
        job = lookups.linked_job(UUID(task))
        credentials.check_job(job)
    return job_queries.read(job.id)
