"""A job as programs are told of it: by the public API, and by webhooks.

Source: Flokan's Image Editor API. Fields that it does not have stand under "Additions".
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


def _milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_milliseconds, return_type=str),
    Field(json_schema_extra={"example": "2026-05-04T11:00:18.432Z"}),
]


class JobResult(Schema):
    """One of a job's images."""

    image_id: UUID = Field(description="What POST /process knows the image by.")
    url: str = Field(description="Where the image can be fetched, without a key.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")
    content_type: str = Field(description="For example image/png.")


class Job(Schema):
    """One edit as it stands."""

    job_id: UUID = Field(description="What GET /jobs/{job_id} knows it by.")
    status: StatusName = Field(description="`pending` and `processing` jobs go on; the others have ended.")
    result_url: str | None = Field(
        None, description="Where the (first) result can be fetched, without a key."
    )
    result_image_id: UUID | None = Field(
        None, description="The (first) result, to go on from: the `image_id` of the next POST /process."
    )
    model_tier: str | None = Field(None, description="The tier that was asked for; null for an exact model.")
    provider_used: str = Field(description="`system`, or the provider of the workspace's own key.")
    credits_consumed: int = Field(description="Credits that it cost. 0 until it has completed.")
    processing_ms: int | None = Field(None, description="Milliseconds from its creation to its end.")
    created_at: Moment = Field(description="UTC, to the millisecond.")
    completed_at: Moment | None = Field(None, description="When it ended, in whichever way. UTC.")
    error: str | None = Field(None, description="Why it failed, for people.")
    image_id: UUID | None = Field(None, description="The source image.")
    style_id: UUID | None = Field(None, description="The style that was applied.")
    character_id: UUID | None = Field(None, description="The character that was applied.")
    # Additions:
    error_code: str | None = Field(None, description="Why it failed, as a stable word for programs.")
    prompt: str = Field(description="What was asked for.")
    model: str = Field(description="The model that runs it: an `id` of GET /models.")
    parameters: dict[str, Any] = Field(description="The inputs of the model, with its defaults.")
    seed: int | None = Field(None, description="Makes the same result again, where the model takes one.")
    credits_held: int = Field(description="Credits set aside until it ends.")
    stage: str = Field(description="The newest step of its life, as in GET /jobs/{job_id}/events.")
    percent: int | None = Field(None, description="How far it is, 0 to 100, where the provider tells.")
    results: list[JobResult] = Field(description="All of its images, in order.")


def job(row: models.Job, *, at: str) -> Job:
    """`row` with its results, see `queries.jobs.with_results`; `at` is what links begin with."""
    results = [_result(image, at) for image in row.shown_results]  # type: ignore[attr-defined]
    first = results[0] if results else None
    return Job(
        job_id=row.id,
        status=cast(StatusName, row.status),
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
    )


def _result(image: models.Image, at: str) -> JobResult:
    return JobResult(
        image_id=image.id,
        url=f"{at}{links.sign_lasting(image.id)}",
        width=image.width,
        height=image.height,
        content_type=image.content_type,
    )
