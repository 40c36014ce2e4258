"""The one way in: every door turns its request into a NewEdit and calls `submit`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.access import lookups
from editor.access.actor import Actor
from editor.catalog import validation
from editor.errors import Conflict, InvalidInput, NotFound
from editor.media import store
from editor.models import Character, Image, Job, JobEvent, JobImage, Status, Style
from editor.operations import (
    callbacks,
    credits,
    idempotency,
    images,
    limits,
    pricing,
    queue,
    results,
    storage,
    timeline,
)
from editor.operations.callbacks import Callback
from editor.operations.pricing import Choice

LARGEST_SEED = 2**63  # what its column holds


@dataclass(frozen=True, slots=True)
class NewEdit:
    """One edit as a door understood it; nothing in it has been checked yet.

    image_ids  the source first, then references, in the person's order
    mask       bytes of a painted mask for the source: white = change
    inputs     values of the model's options, by their catalogue names
    idempotency_key  a repeat with the same key gives the same job and costs nothing more
    request_hash     tells whether a repeat is one: the same key with another hash is refused
    """

    prompt: str
    model: str = ""
    tier: str = ""
    provider: str = pricing.PLATFORM
    image_ids: tuple[str | UUID, ...] = ()
    mask: bytes | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    style_id: str | UUID | None = None
    character_id: str | UUID | None = None
    idempotency_key: str | None = None
    request_hash: str = ""
    callback: Callback | None = None


@dataclass(frozen=True, slots=True)
class _Checked:
    """What an edit turned out to mean, but for its images."""

    choice: Choice
    prompt: str
    inputs: Mapping[str, Any]
    style: Style | None
    character: Character | None


def check(*, actor: Actor, request: NewEdit, images: int | None = None, mask: bool = False) -> None:
    """Raise what `submit` would, as far as it can be told before the images are there.

    For a door that must fetch them first; it may tell how many they are, and whether there is a mask.
    """
    actor.require_editor()
    storage.check(workspace=actor.workspace)
    checked = _checked(actor, request, prompt_only=False)
    if images is not None:
        likenesses = checked.character.images.count() if checked.character else 0
        validation.check_images(checked.choice.model, checked.choice.route, images + likenesses, mask)
    account = credits.open_account(workspace=actor.workspace)
    credits.check(account=account, price=pricing.price(choice=checked.choice, inputs=checked.inputs))


def submit(*, actor: Actor, request: NewEdit) -> Job:
    """Check the edit, hold its price, create the job and enqueue it: all or nothing.

    Raises InvalidInput, NotFound, PermissionDenied, InsufficientCredits, TooMany, Unprocessable,
    StorageFull or DiskFull; whatever it raises, nothing was charged and no job exists.
    """
    actor.require_editor()
    if repeated := _repeated(actor, request):
        return repeated
    storage.check(workspace=actor.workspace)
    # Options are those of the tier's own model: whoever chose some wants that one.
    prompt_only = not (request.image_ids or request.character_id or request.inputs)
    checked = _checked(actor, request, prompt_only=prompt_only)
    choice, character = checked.choice, checked.character
    sources = lookups.images(actor, request.image_ids)
    likenesses = list(character.images.order_by("character_images__position")) if character else []
    count = len(sources) + len(likenesses)
    validation.check_images(choice.model, choice.route, count, request.mask is not None)
    mask = images.save_mask(actor=actor, content=request.mask, source=sources[0]) if request.mask else None
    try:
        job, created = _create(
            actor=actor,
            request=request,
            checked=checked,
            places=_places(sources, likenesses, mask),
        )
    except Exception:
        if mask:
            images.discard_mask(mask=mask)
        raise
    if mask and not created:
        images.discard_mask(mask=mask)
    return job


@transaction.atomic
def _create(
    *,
    actor: Actor,
    request: NewEdit,
    checked: _Checked,
    places: list[tuple[JobImage.Role, Image]],
) -> tuple[Job, bool]:
    """The job, its hold and its place in the queue; or, and False, the job of an earlier same request."""
    # The lock makes the submissions of one workspace follow one another.
    account = credits.lock_account(workspace_id=actor.workspace.id)
    if repeated := _repeated(actor, request):
        return repeated, False
    if request.idempotency_key:
        idempotency.free(actor=actor, key=request.idempotency_key)
    choice, style, character = checked.choice, checked.style, checked.character
    in_flight = limits.check_jobs(workspace=actor.workspace)
    price = pricing.price(choice=choice, inputs=checked.inputs)
    limits.check_cap(actor=actor, price=price)
    job = Job.objects.create(
        **callbacks.columns(request.callback),
        workspace=actor.workspace,
        created_by=actor.user,
        api_key_id=actor.key_id,
        door=actor.door,
        idempotency_key=request.idempotency_key or None,
        request_hash=request.request_hash,
        model=choice.model.id,
        tier=choice.tier,
        prompt=checked.prompt,
        sent_prompt=_sent_prompt(prompt=checked.prompt, style=style, character=character),
        inputs=checked.inputs,
        style=style,
        style_version=style.version if style else None,
        character=character,
        character_version=character.version if character else None,
        parent=next((image for role, image in places if role == JobImage.Role.SOURCE), None),
        provider=choice.route.provider,
        target=choice.route.target,
        own_key=choice.own_key,
        price=price,
        time_limit=choice.model.time_limit_seconds,
    )
    credits.hold(account=account, job=job)
    JobImage.objects.bulk_create(
        JobImage(job=job, image=image, role=role, position=position)
        for position, (role, image) in enumerate(places)
    )
    timeline.record(job=job, kind=JobEvent.Kind.QUEUE)
    # The more a workspace has in flight, the later its next job: nobody starves the others.
    queue.enqueue(job=job, priority=-in_flight)
    return job, True


def _repeated(actor: Actor, request: NewEdit) -> Job | None:
    key = request.idempotency_key
    return idempotency.find(actor=actor, key=key, request_hash=request.request_hash) if key else None


def _checked(actor: Actor, request: NewEdit, *, prompt_only: bool) -> _Checked:
    callbacks.check(request.callback)
    choice = pricing.choose(
        workspace=actor.workspace,
        model=request.model,
        tier=request.tier,
        provider=request.provider,
        prompt_only=prompt_only,
    )
    prompt = validation.clean_prompt(choice.model, request.prompt)
    inputs = validation.clean_inputs(choice.model, request.inputs)
    if problem := validation.route_problem(choice.route, inputs):
        raise InvalidInput(problem)
    return _Checked(
        choice=choice,
        prompt=prompt,
        inputs=inputs,
        style=lookups.style(actor, request.style_id) if request.style_id else None,
        character=lookups.character(actor, request.character_id) if request.character_id else None,
    )


def _places(
    sources: list[Image], likenesses: list[Image], mask: Image | None
) -> list[tuple[JobImage.Role, Image]]:
    role = JobImage.Role
    places = [(role.SOURCE if at == 0 else role.REFERENCE, image) for at, image in enumerate(sources)]
    places += [(role.CHARACTER, image) for image in likenesses]
    return [*places, (role.MASK, mask)] if mask else places


def _sent_prompt(*, prompt: str, style: Style | None, character: Character | None) -> str:
    """The person's words, then what the chosen presets add to them."""
    added = [character.description if character else "", style.prompt if style else ""]
    parts = [part.strip().rstrip(".,;") for part in (prompt, *added) if part.strip()]
    return ", ".join(parts) if any(added) else prompt


def again(*, actor: Actor, job: Job, idempotency_key: str) -> Job:
    """Submit the recipe of an earlier job once more: same images, words, model, inputs and presets.

    Presets count as they are now. A seed that nobody chose is drawn anew. Raises as `submit` does.
    """
    if job.style_version and not job.style_id:
        raise NotFound("The style of this edit was deleted.")
    if job.character_version and not job.character_id:
        raise NotFound("The character of this edit was deleted.")
    places = list(job.job_images.select_related("image"))
    own = (JobImage.Role.SOURCE, JobImage.Role.REFERENCE)
    mask = next((place.image for place in places if place.role == JobImage.Role.MASK), None)
    request = NewEdit(
        prompt=job.prompt,
        model=job.model,
        provider=job.provider if job.own_key else pricing.PLATFORM,
        image_ids=tuple(place.image_id for place in places if place.role in own),
        mask=store.read(mask.storage_name) if mask else None,
        inputs=job.inputs,
        style_id=job.style_id,
        character_id=job.character_id,
        idempotency_key=idempotency_key,
    )
    return submit(actor=actor, request=request)


def cancel(*, actor: Actor, job: Job, only_waiting: bool = False) -> Job:
    """Cancel a waiting job at once, or ask the worker to stop a running one.

    The credits come back whole in both cases. Raises Conflict when the job has ended, and with
    `only_waiting` when it runs.
    """
    actor.require_editor()
    with transaction.atomic():
        job = Job.objects.select_for_update(no_key=True).get(pk=job.pk)
        if not job.is_live:
            raise Conflict(f"This edit is already {job.status}.")
        if only_waiting and job.status != Status.PENDING:
            raise Conflict("This edit has already started.")
        if job.cancel_requested_at is None:
            job.cancel_requested_at = timezone.now()
            job.save(update_fields=["cancel_requested_at"])
            # The card loses its button at once; the end itself is told by whoever ends the job.
            events.publish(events.JobChanged(workspace_id=job.workspace_id, job_id=job.id))
        if job.status == Status.PENDING:
            end_canceled(job=job)
        queue.withdraw(job=job)
    return job


@transaction.atomic
def end_canceled(*, job: Job) -> None:
    """The job is over because a person said so; its hold comes back."""
    if timeline.end(job=job, status=Status.CANCELED, kind=JobEvent.Kind.CANCEL):
        credits.release(job=job)


@transaction.atomic
def end_failed(*, job: Job, code: str, message: str) -> None:
    """The job gave nothing; its hold comes back and `message` tells the person why."""
    if timeline.end(
        job=job,
        status=Status.FAILED,
        kind=JobEvent.Kind.ERROR,
        note=message,
        error_code=code,
        error=message,
    ):
        credits.release(job=job)


@transaction.atomic
def end_completed(*, job: Job, stored: list[images.Stored], seed: int | None) -> bool:
    """The results become images of the workspace, and the price is settled.

    A job that asked for several samples and got fewer pays for those it got, and says so. False,
    and nothing happens, when the job has ended before.
    """
    got = min(len(stored), job.samples)
    cost = job.price * got // job.samples
    note = results.shortfall(job=job, got=got, back=job.price - cost)
    if not timeline.end(
        job=job,
        status=Status.COMPLETED,
        through=JobEvent.Kind.POSTPROCESS_START,
        kind=JobEvent.Kind.POSTPROCESS_END,
        note=note,
        charged=cost,
        error=note,
        seed=seed if seed is not None and abs(seed) < LARGEST_SEED else None,
    ):
        return False
    # The row is locked by now; the person may have been deleted while the edit ran.
    job.refresh_from_db(fields=["created_by"])
    images.create_results(job=job, stored=stored)
    credits.settle(job=job, cost=cost)
    return True
