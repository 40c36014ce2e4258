"""Uploads, edits and estimates."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Status

from editor import retry_after
from editor.access.actor import Actor
from editor.api import schemas
from editor.api.authentication import READ, WRITE
from editor.api.envelope import problem
from editor.api.process import Outcome, process
from editor.api.schemas import errors
from editor.concurrency.threads import in_thread
from editor.errors import PermissionDenied
from editor.gateway.outcome import failure
from editor.gateway.requests import caller, origin
from editor.operations import quotes, uploads
from editor.queries import pricing, usage_rules
from editor.representations import api

router = Router()


@router.post(
    "/upload-url",
    response={201: schemas.UploadOut} | errors(422, 503),
    auth=WRITE,
    operation_id="upload_url",
    summary="Create an upload link",
    tags=["Images"],
)
async def upload_url(request: HttpRequest, body: schemas.UploadIn) -> Any:
    """Returns a short-lived link to upload an image to, and the `image_id` to use it with.

    PUT the file's bytes to `upload_url`, once and within `expires_in` seconds, with `mime_type` as the
    Content-Type. A file can have at most 25 MiB. The portal checks it when it is first used.
    """
    base_url = origin(request)
    ticket = await in_thread(
        uploads.create,
        actor=caller(request).actor,
        file_name=body.file_name,
        content_type=body.mime_type,
        size=body.file_size,
        base=base_url,
    )
    data = schemas.Upload(
        image_id=ticket.image_id,
        upload_url=ticket.upload_url,
        public_url=ticket.public_url,
        expires_in=ticket.expires_in,
    )
    return Status(201, schemas.UploadOut(data=data))


@router.post(
    "/process",
    response={201: schemas.JobOut, 202: schemas.JobOut} | errors(402, 404, 409, 422, 503),
    auth=WRITE,
    operation_id="process",
    summary="Generate or edit an image",
    tags=["Edits"],
)
async def process_image(request: HttpRequest, body: schemas.ProcessIn, response: HttpResponse) -> Any:
    """Creates an image from the prompt alone, or edits the image given by `image_id` or `image_url`.

    The call returns when the image is ready, usually after 10 to 60 seconds. With `async`, or
    `Prefer: respond-async`, it returns at once with 202 and the job. It also does so if the job takes
    longer than 300 seconds (or less, if the operator says so) or the portal is about to stop. The job
    keeps running in each case, even if the client disconnects.

    An edit over your own limit, or dearer than the workspace allows, is refused with 402. With `approval`
    set to `request`, it waits for an owner or admin instead: the call returns 202 and the job with
    `approval`, for at most seven days. Nothing is held meanwhile.

    With an `Idempotency-Key` you can repeat the same call for a day: it returns the first response,
    marked with `Idempotency-Replayed: true`, and is not charged again.
    """
    outcome = await process(
        request,
        actor=caller(request).actor,
        body=body,
        key=request.headers.get("idempotency-key", ""),
    )
    return _processed(request, outcome, response)


def _processed(request: HttpRequest, outcome: Outcome, response: HttpResponse) -> Any:
    job = outcome.job
    if outcome.repeated:
        response["Idempotency-Replayed"] = "true"
    if error := failure(job):
        for name, value in retry_after.headers(error).items():
            response[name] = value
        return Status(error.status, problem(error, job_id=str(job.id)))
    if not job.has_ended:
        response["Location"] = f"{request.path.removesuffix('process')}jobs/{job.id}"
        response[retry_after.HEADER] = "2"
    data = api.job(job, base_url=origin(request))
    return Status(201 if job.has_ended else 202, schemas.JobOut(data=data))


@router.post(
    "/estimate-credits",
    response={200: schemas.EstimateOut} | errors(402, 404, 422),
    auth=READ,
    operation_id="estimate_credits",
    summary="Estimate credits",
    tags=["Edits"],
)
async def estimate_credits(request: HttpRequest, body: schemas.EstimateIn) -> Any:
    """Returns what a call of POST /process would cost at most, and whether it could be paid now.

    A call with the `quote_id` costs no more, even if the price changes in the next ten minutes.
    """
    return Status(200, schemas.EstimateOut(data=await in_thread(_estimate, caller(request).actor, body)))


def _estimate(actor: Actor, body: schemas.EstimateIn) -> schemas.Estimate:
    choice = pricing.choose(
        workspace=actor.workspace,
        model=body.model or "",
        tier=body.model_tier or "",
        provider=body.provider,
        rules=usage_rules.of(actor),
    )
    if choice.refusal:
        raise PermissionDenied(choice.refusal)
    quote = pricing.quote(actor=actor, choice=choice, inputs=body.parameters)
    quoted = quotes.create(actor=actor, choice=choice, inputs=body.parameters)
    return schemas.Estimate(
        model_tier=body.model_tier,
        model=choice.model.id,
        provider=body.provider,
        estimated_credits=quoted.price,
        is_exact=choice.own_key,
        available_credits=quote.balance,
        can_proceed=quote.enough and quote.over is None,
        byok_skips_credits=choice.own_key,
        quote_id=quoted.pk,
        quote_expires_at=quoted.expires_at,
        limit=quote.over.kind if quote.over else None,
    )
