"""Jobs in the format of the public API and of webhooks.

Source: Flokan's Image Editor API. Fields that it does not have are under "Additions".
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, cast
from uuid import UUID

from ninja import Field, Schema
from pydantic import PlainSerializer

from editor import models
from editor.media import links

StatusName = Literal["pending", "processing", "completed", "failed", "canceled"]
ApprovalState = Literal["waiting", "granted", "declined", "lapsed", "withdrawn"]
LimitName = Literal["member_month", "member_day", "threshold"]


def _milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_milliseconds, return_type=str),
    Field(json_schema_extra={"example": "2026-05-04T11:00:18.432Z"}),
]


class JobResult(Schema):
    """One of a job's images."""

    image_id: UUID = Field(description="Use it as an image of POST /process.")
    url: str = Field(description="URL of the image. Needs no key.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    content_type: str = Field(description="For example image/png.")


class Approval(Schema):
    """Whether an edit over a limit may run. Nothing is held for it until it is granted."""

    state: ApprovalState = Field(description="`waiting`, or its end. `lapsed`: nobody answered in time.")
    limit: LimitName = Field(
        description="What is in the way: your limit of a month or a day, or the workspace's of one edit."
    )
    allowed: int = Field(description="Credits of that limit.")
    used: int = Field(description="Credits of it that were used when the approval was requested.")
    price: int = Field(description="Credits that the edit costs.")
    message: str | None = Field(description="Why it was requested.")
    reason: str | None = Field(description="Why it was declined.")
    requested_at: Moment = Field(description="UTC, to the millisecond.")
    expires_at: Moment = Field(description="When it lapses without an answer. UTC.")
    decided_at: Moment | None = Field(description="When it was answered, or ended otherwise. UTC.")


class Job(Schema):
    """An edit and its current state."""

    job_id: UUID = Field(description="Use it in GET /jobs/{job_id}.")
    status: StatusName = Field(
        description="`pending` and `processing` jobs are still running, or wait for an `approval`; "
        "the others have ended."
    )
    result_url: str | None = Field(None, description="URL of the (first) result. Needs no key.")
    result_image_id: UUID | None = Field(
        None, description="The (first) result. Use it as `image_id` in POST /process to edit it further."
    )
    model_tier: str | None = Field(None, description="The requested tier; null for an exact model.")
    provider_used: str = Field(description="`system`, or the provider whose own key was used.")
    credits_consumed: int = Field(description="Credits charged. 0 until the job completes.")
    processing_ms: int | None = Field(None, description="Milliseconds from creation to end.")
    created_at: Moment = Field(description="UTC, to the millisecond.")
    completed_at: Moment | None = Field(
        None, description="When the job ended, whether it completed or not. UTC."
    )
    error: str | None = Field(None, description="Why it failed: a message for people.")
    image_id: UUID | None = Field(None, description="The source image.")
    style_id: UUID | None = Field(None, description="The style that was applied.")
    character_id: UUID | None = Field(None, description="The character that was applied.")
    # Additions:
    error_code: str | None = Field(None, description="Why it failed: a stable code for programs.")
    prompt: str = Field(description="The prompt.")
    model: str = Field(description="The model that runs it: an `id` from GET /models.")
    parameters: dict[str, Any] = Field(description="The inputs of the model, with its defaults.")
    seed: int | None = Field(None, description="Reproduces the result, if the model supports it.")
    credits_held: int = Field(description="Credits held until the job ends.")
    stage: str = Field(description="The latest step, as in GET /jobs/{job_id}/events.")
    percent: int | None = Field(None, description="Progress, 0 to 100, if the provider reports it.")
    results: list[JobResult] = Field(description="All result images, in order.")
    approval: Approval | None = Field(None, description="Of an edit for which an approval was requested.")


def job(row: models.Job, *, base_url: str) -> Job:
    """`row` with its results, see `queries.jobs.with_results`; `base_url` is scheme and host of links."""
    results = [_result(image, base_url) for image in row.shown_results]  # type: ignore[attr-defined]
    first = results[0] if results else None
    return Job(
        job_id=row.id,
        status=cast(StatusName, row.public_status),
        result_url=first.url if first else None,
        result_image_id=first.image_id if first else None,
        model_tier=row.tier or None,
        provider_used=row.provider if row.own_key else "system",
        credits_consumed=row.charged,
        processing_ms=int((row.finished_at - row.created_at).total_seconds() * 1000)
        if row.finished_at
        else None,
        created_at=row.created_at,
        completed_at=row.finished_at,
        error=row.error if row.error_code else None,
        error_code=row.error_code or None,
        prompt=row.prompt,
        model=row.model,
        image_id=row.parent_id,
        style_id=row.style_id,
        character_id=row.character_id,
        parameters=row.inputs,
        seed=row.seed,
        credits_held=row.price if row.is_live else 0,
        stage=row.stage,
        percent=row.percent,
        results=results,
        approval=_approval(approval) if (approval := getattr(row, "approval", None)) else None,
    )


def _approval(row: models.Approval) -> Approval:
    return Approval(
        state=cast(ApprovalState, row.state),
        limit=cast(LimitName, row.limit),
        allowed=row.allowed,
        used=row.used,
        price=row.price,
        message=row.message or None,
        reason=row.reason or None,
        requested_at=row.requested_at,
        expires_at=row.expires_at,
        decided_at=row.decided_at,
    )


def _result(image: models.Image, base_url: str) -> JobResult:
    return JobResult(
        image_id=image.id,
        url=f"{base_url}{links.sign_lasting(image.id)}",
        width=image.width,
        height=image.height,
        content_type=image.content_type,
    )
