"""From a parsed request to a job, whether new or that of an identical earlier call."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from django.conf import settings

from editor import catalog
from editor.access import lookups
from editor.access.actor import Actor
from editor.compat.openai import translate
from editor.compat.openai.errors import StillRunning, UnknownModel
from editor.compat.openai.forms import Form
from editor.compat.openai.translate import ParsedRequest
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.errors import Unprocessable
from editor.gateway.outcome import failure
from editor.media.limits import BadImage
from editor.models import Job
from editor.operations import idempotency, intake
from editor.operations.intake import Submission, WrongImage
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from editor.queries import pricing, usage_rules
from editor.queries.pricing import Choice


async def start(*, actor: Actor, form: Form, parsed: ParsedRequest, key: str, is_retry: bool) -> Job:
    """The job for the request, which an identical earlier call may have started.

    key       an Idempotency-Key, or ""
    is_retry  the client received no response to the same call before

    Raises EditorError; no job exists then and nothing was charged.
    """
    # A model alias may have changed since an identical earlier call.
    repeated = await in_thread(
        idempotency.find_repeat, actor=actor, key=key, request_hash=form.digest, sent_again=is_retry
    )
    if repeated:
        return repeated
    edit = await in_thread(_edit, actor, form, parsed)
    submission = Submission(
        edit=replace(edit, idempotency_key=key or None, request_hash=form.digest),
        images=form.images,
        mask=form.mask,
        transparent_mask=True,
        sent_again=is_retry,
    )
    try:
        return await intake.submit(actor=actor, submission=submission)
    except WrongImage as error:
        raise _in_field(error) from None


async def ended(job: Job) -> Job:
    """Wait for the job and its results. Raises EditorError if there are none, or not in time."""
    reread = partial(job_queries.read, job.id)
    row = await waiting.until_ended(job, seconds=settings.HOLD_SECONDS, reread=reread)
    check_ended(row)
    return row


def check_ended(job: Job) -> None:
    """Raise the error of a job without results."""
    if job.is_live:
        raise StillRunning(
            f"This edit is still running as job {job.id}. Find its result in the portal's gallery, "
            "or through the portal's own API. Without an Idempotency-Key, this request starts another edit."
        )
    if error := failure(job):
        raise error


def resolve(actor: Actor, name: str, *, prompt_only: bool) -> Choice:
    """Resolve an alias, a tier, a model's id or "". Raises UnknownModel if it cannot run here.

    The choice has a tier only if the tier's own model is used, not a replacement.
    """
    target = lookups.alias_target(name)
    entries = catalog.catalog()
    choose = partial(pricing.choose, workspace=actor.workspace, rules=usage_rules.of(actor))
    try:
        if not target:
            choice = choose()
            if prompt_only and not choice.tier:
                choice = choose(prompt_only=True)
            target = choice.tier
        elif target in entries.models:
            return choose(model=target)
        elif target in entries.tiers:
            choice = choose(tier=target)
        else:
            raise UnknownModel(f"The model '{name[:100]}' does not exist.", fields={"model": "Unknown."})
        if not (prompt_only and target) or choice.model.text_to_image:
            return choice
        stand_in = choose(tier=target, prompt_only=True)
    except Unprocessable as error:
        raise UnknownModel(
            f"The model '{name[:100]}' cannot run here. {error.message}", fields={"model": error.message}
        ) from None
    return replace(stand_in, tier="")


def _edit(actor: Actor, form: Form, parsed: ParsedRequest) -> NewEdit:
    """The edit without its images."""
    editing = bool(form.images)
    choice = resolve(actor, parsed.model, prompt_only=not editing)
    return NewEdit(
        prompt=parsed.prompt,
        model="" if choice.tier else choice.model.id,
        tier=choice.tier,
        inputs=translate.inputs(parsed, choice.model, choice.route, editing=editing),
    )


def _in_field(error: WrongImage) -> BadImage:
    """The same error, naming the field that contained the image."""
    if error.index is None:
        return BadImage(error.message, fields={"mask": error.message})
    before = f"Invalid image file or mode for image {error.index + 1}. "
    return BadImage(f"{before}{error.message}", fields={"image": error.message})
