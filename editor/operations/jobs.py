"""Edits: checked, paid for, created, enqueued and canceled. Those of the APIs come through intake.py."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.db import transaction

from editor.access import lookups
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.catalog import matching, validation
from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import Character, Image, Job, JobImage, Status, Style
from editor.operations import (
    approvals,
    credits,
    idempotency,
    images,
    job_images,
    limits,
    outcomes,
    quotes,
    search,
    starts,
    storage,
)
from editor.operations.images import Stored
from editor.operations.presets import sent_prompt
from editor.operations.webhooks import callbacks
from editor.operations.webhooks.callbacks import Callback
from editor.queries import pricing, usage_rules
from editor.queries.limits import today
from editor.queries.pricing import Choice


@dataclass(frozen=True, slots=True)
class NewEdit:
    """One edit as a channel parsed it; nothing in it has been checked yet.

    image_ids  the source first, then references, in the person's order
    mask       bytes of a painted mask for the source: white = change
    inputs     values of the model's options, by their catalogue names
    match_format  the result has the source's format, unless `inputs` names one
    approval_message  asks for an approval where a limit of the member is in the way, and says why; may be
                      empty. None: refuse the edit then
    quote_id   whose price is held at most: see quotes.py
    idempotency_key  a repeat with the same key returns the same job and costs nothing more
    request_hash     identifies a repeat: the same key with another hash is refused
    """

    prompt: str
    model: str = ""
    tier: str = ""
    provider: str = pricing.PLATFORM
    image_ids: tuple[str | UUID, ...] = ()
    mask: bytes | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    match_format: bool = False
    style_id: str | UUID | None = None
    character_id: str | UUID | None = None
    approval_message: str | None = None
    quote_id: str | UUID | None = None
    idempotency_key: str | None = None
    request_hash: str = ""
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class _Checked:
    """A checked edit without its images. `price`: credits, for all samples."""

    choice: Choice
    prompt: str
    inputs: Mapping[str, Any]
    price: int
    style: Style | None
    character: Character | None
    likenesses: list[Image]


def check(*, actor: Actor, request: NewEdit, images: int = 0, mask: bool = False) -> None:
    """Raise what `submit` would, as far as it can be known before images are decoded or fetched.

    images  how many there will be, including those of `request.image_ids`
    mask    whether there will be one
    """
    actor.require(Permission.EDIT)
    storage.check(workspace=actor.workspace)
    count = max(images, len(request.image_ids))
    checked = _checked(actor, request, prompt_only=count == 0)
    lookups.images(actor, request.image_ids)
    _check_images(checked, count, mask=mask)
    _check_limits(actor, request, checked)


def submit(*, actor: Actor, request: NewEdit, new_images: Sequence[Stored] = ()) -> Job:
    """Check the edit, hold its price, create the job and enqueue it: all or nothing.

    An edit that needs an approval, and asks for it, waits for it instead of the last two.

    new_images  those of `request.image_ids` that get rows with the job; the caller still owns their files

    Raises InvalidInput, NotFound, PermissionDenied, WorkspaceSuspended, OverLimit, InsufficientCredits,
    LimitExceeded, QuoteExpired, Unprocessable, StorageFull or DiskFull; in any case nothing was charged and
    no job exists.
    """
    actor.require(Permission.EDIT)
    if repeated := _repeated(actor, request):
        return repeated
    storage.check(workspace=actor.workspace)
    checked = _checked(actor, request, prompt_only=not request.image_ids)
    sources = job_images.sources(actor, request.image_ids, new_images)
    if request.match_format and sources and matching.FORMAT not in request.inputs:
        model, route, source = checked.choice.model, checked.choice.route, sources[0]
        inputs = matching.with_format_of(source.content_type, model, route, checked.inputs)
        checked = replace(checked, inputs=inputs)
    _check_images(checked, len(sources), mask=request.mask is not None)
    mask, used = None, False
    if request.mask:
        _check_limits(actor, request, checked)
        mask = images.save_mask(actor=actor, content=request.mask, source=sources[0])
    try:
        job, used = _create(actor=actor, request=request, checked=checked, sources=sources, mask=mask)
    finally:
        if mask and not used:
            images.discard_unnamed(stored=[mask])
    return job


@transaction.atomic
def _create(
    *,
    actor: Actor,
    request: NewEdit,
    checked: _Checked,
    sources: list[Image | Stored],
    mask: Stored | None,
) -> tuple[Job, bool]:
    """The new job, started or waiting, and True; or the job of an identical earlier request, and False."""
    if mask or any(isinstance(source, Stored) for source in sources):
        storage.lock(workspace_id=actor.workspace.id)  # before the credits, as when a job ends
    # The lock serializes the submissions of one workspace.
    account = credits.lock_account(workspace_id=actor.workspace.id)
    if repeated := _repeated(actor, request):
        return repeated, False
    if request.idempotency_key:
        idempotency.free(actor=actor, key=request.idempotency_key)
    actor = limits.reread(actor=actor)
    limits.check_open(workspace=actor.workspace)
    choice, style, character = checked.choice, checked.style, checked.character
    in_flight = limits.check_jobs(workspace=actor.workspace)
    over = approvals.needed(actor=actor, price=checked.price, message=request.approval_message)
    places = job_images.with_roles(actor, sources, checked.likenesses, mask)
    job = Job.objects.create(
        **callbacks.columns(request.callback),
        workspace=actor.workspace,
        created_by=actor.user,
        api_key_id=actor.key_id,
        channel=actor.channel,
        idempotency_key=request.idempotency_key or None,
        request_hash=request.request_hash,
        model=choice.model.id,
        tier=choice.tier,
        prompt=checked.prompt,
        sent_prompt=sent_prompt(prompt=checked.prompt, style=style, character=character),
        inputs=checked.inputs,
        style=style,
        style_version=style.version if style else None,
        character=character,
        character_version=character.version if character else None,
        parent=next((image for role, image in places if role == JobImage.Role.SOURCE), None),
        provider=choice.route.provider,
        target=choice.route.target,
        own_key=choice.own_key,
        samples=choice.model.samples(checked.inputs),
        price=checked.price,
        status=Status.WAITING if over else Status.PENDING,
        spent_on=today(actor.workspace),
        time_limit=choice.model.time_limit_seconds,
    )
    search.add(jobs=[job])
    JobImage.objects.bulk_create(
        JobImage(job=job, image=image, role=role, position=position)
        for position, (role, image) in enumerate(places)
    )
    if over:
        approvals.request(actor=actor, job=job, limit=over, message=request.approval_message or "")
    else:
        note = quotes.honoured(price=checked.price, choice=choice, inputs=checked.inputs)
        starts.start(account=account, job=job, in_flight=in_flight, price_note=note)
    return job, True


def _repeated(actor: Actor, request: NewEdit) -> Job | None:
    key = request.idempotency_key
    return idempotency.find(actor=actor, key=key, request_hash=request.request_hash) if key else None


def _checked(actor: Actor, request: NewEdit, *, prompt_only: bool) -> _Checked:
    """`prompt_only`: there are no images except those of a character."""
    callbacks.check(request.callback)
    limits.check_open(workspace=actor.workspace)
    choice = pricing.choose(
        workspace=actor.workspace,
        model=request.model,
        tier=request.tier,
        provider=request.provider,
        # Options belong to the tier's own model: choosing some means choosing that model.
        prompt_only=prompt_only and not (request.character_id or request.inputs),
        rules=usage_rules.of(actor),
    )
    if choice.refusal:
        raise PermissionDenied(choice.refusal)
    prompt = validation.clean_prompt(choice.model, request.prompt)
    inputs = validation.clean_inputs(choice.model, request.inputs)
    if problem := validation.route_problem(choice.route, inputs):
        raise InvalidInput(problem)
    character = lookups.character(actor, request.character_id) if request.character_id else None
    return _Checked(
        choice=choice,
        prompt=prompt,
        inputs=inputs,
        price=quotes.price(actor=actor, quote_id=request.quote_id, choice=choice, inputs=inputs),
        style=lookups.style(actor, request.style_id) if request.style_id else None,
        character=character,
        likenesses=list(character.likenesses) if character else [],
    )


def _check_images(checked: _Checked, count: int, *, mask: bool) -> None:
    """`count`: the caller's images. Those of a character count too, but cannot have a mask."""
    choice = checked.choice
    validation.check_images(choice.model, choice.route, count + len(checked.likenesses), mask)
    if mask and count == 0:
        problem = "A mask needs an image that it belongs to."
        raise InvalidInput(problem, fields={"mask": problem})


def _check_limits(actor: Actor, request: NewEdit, checked: _Checked) -> None:
    """Check the plan, the cap and the credits early; the decisive check is repeated under the lock."""
    limits.check_open(workspace=actor.workspace)
    limits.check_jobs(workspace=actor.workspace)
    if not approvals.needed(actor=actor, price=checked.price, message=request.approval_message):
        credits.check(account=credits.open_account(workspace=actor.workspace), price=checked.price)


def cancel(*, actor: Actor, job: Job, only_waiting: bool = False) -> Job:
    """Cancel a queued job at once, or request the worker to stop a running one.

    All credits are returned in both cases. An edit that waits for an approval can only be canceled by the
    person who requested it. Raises Conflict if the job has ended, and with `only_waiting` if it is running.
    """
    actor.require(Permission.EDIT)
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if job.status == Status.WAITING:
            approvals.withdraw(actor=actor, job=job)
            return job
        if not job.is_live:
            raise Conflict(f"This edit is already {job.status}.")
        if only_waiting and job.status != Status.PENDING:
            raise Conflict("This edit has already started.")
        outcomes.request_cancel(job=job)
    return job
