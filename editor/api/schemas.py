"""What goes in and out of the public API, field by field.

Source: Flokan's Image Editor API. Fields that it does not have are marked as additions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Field, Schema
from pydantic import ConfigDict, PlainSerializer, StringConstraints, model_validator

from editor.catalog.types import TierId
from editor.providers import registry

PROVIDERS = ["platform", *(name for name, provider in registry.providers().items() if provider.needs_key)]
LONGEST_URL = 2000  # characters
MOST_IMAGES = 16


def _milliseconds(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Moment = Annotated[
    datetime,
    PlainSerializer(_milliseconds, return_type=str),
    Field(json_schema_extra={"example": "2026-05-04T11:00:18.432Z"}),
]
ProviderName = Annotated[
    str,
    StringConstraints(max_length=20),
    Field(
        json_schema_extra={"enum": PROVIDERS},
        description="“platform” runs on the portal's keys and takes credits; the name of a provider runs on "
        "the workspace's own key for it and takes none.",
    ),
]
StatusName = Literal["pending", "processing", "completed", "failed", "canceled"]


class Problem(Schema):
    """An error. `code`, `fields` and `job_id` are additions."""

    success: Literal[False] = False
    error: str = Field(description="What happened and what to do, for people.")
    code: str = Field(description="A stable word for programs.")
    fields: dict[str, str] | None = Field(None, description="What is wrong, by the name of the field.")
    job_id: UUID | None = Field(None, description="The job that came to this end, where there is one.")


def errors(*codes: int) -> dict[int, Any]:
    """The errors that a call documents: its own, and those that every call can have."""
    return dict.fromkeys(sorted({400, 401, 403, 408, 413, 429, 500, *codes}), Problem)


# --- Requests --------------------------------------------------------------------------


class UploadIn(Schema):
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    mime_type: Literal["image/jpeg", "image/png", "image/webp", "image/gif"]
    file_size: Annotated[int, Field(ge=0, le=2**62)] | None = Field(
        None, description="Bytes, for the record."
    )


class _Choice(Schema):
    """A tier, or an exact model in its place."""

    model_tier: TierId | None = Field(None, description="Required unless `model` names an exact model.")
    model: Annotated[str, StringConstraints(max_length=120)] | None = Field(
        None, description="Addition: an exact model of GET /models instead of a tier."
    )
    provider: ProviderName = "platform"
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Addition: inputs of the model, by the names of GET /models."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> _Choice:
        if not self.model_tier and not self.model:
            raise ValueError("model_tier is required: pro, standard or creative.")
        if self.model_tier and self.model:
            raise ValueError("Give model_tier or model, not both.")
        return self


class EstimateIn(_Choice):
    model_config = ConfigDict(json_schema_extra={"example": {"model_tier": "pro", "provider": "platform"}})


class ProcessIn(_Choice):
    model_config = ConfigDict(
        json_schema_extra={"example": {"prompt": "make the cup blue", "model_tier": "standard"}}
    )

    prompt: Annotated[str, StringConstraints(min_length=1, max_length=10_000)]
    image_id: UUID | None = Field(None, description="From POST /upload-url, or a result of this workspace.")
    image_url: Annotated[str, StringConstraints(max_length=LONGEST_URL)] | None = Field(
        None, description="An https address of the source image. Ignored where image_id is given."
    )
    image_ids: Annotated[list[UUID], Field(max_length=MOST_IMAGES)] = Field(
        default_factory=list, description="Addition: further images, in the order they are to be used."
    )
    mask_id: UUID | None = Field(
        None, description="Addition: an uploaded mask for the source image; white is changed."
    )
    style_id: UUID | None = None
    character_id: UUID | None = None
    webhook_url: None = Field(None, description="Not available yet; ask for the job or its events.")
    asynchronous: bool = Field(
        False, alias="async", description="Addition: answer at once with the job, and 202."
    )


# --- Answers ---------------------------------------------------------------------------


class Upload(Schema):
    image_id: UUID
    upload_url: str
    public_url: str
    expires_in: int = Field(description="Seconds.")


class Estimate(Schema):
    model_tier: str | None
    model: str = Field(description="Addition.")
    provider: str
    estimated_credits: int
    is_exact: bool
    available_credits: int
    can_proceed: bool
    byok_skips_credits: bool


class JobResult(Schema):
    """Addition: one of a job's images."""

    image_id: UUID
    url: str
    width: int
    height: int
    content_type: str


class Job(Schema):
    """A job as it stands. The first ten fields are those of the document's example."""

    job_id: UUID
    status: StatusName
    result_url: str | None = None
    result_image_id: UUID | None = None
    model_tier: str | None = None
    provider_used: str = Field(description="“system”, or the provider of the workspace's own key.")
    credits_consumed: int
    processing_ms: int | None = Field(None, description="From its creation to its end.")
    created_at: Moment
    completed_at: Moment | None = None
    error: str | None = None
    error_code: str | None = None
    prompt: str
    model: str
    image_id: UUID | None = None
    style_id: UUID | None = None
    character_id: UUID | None = None
    parameters: dict[str, Any]
    seed: int | None = None
    credits_held: int = Field(description="Set aside until the job ends.")
    stage: str = Field(description="The newest step of its life.")
    percent: int | None = None
    results: list[JobResult]


class UploadOut(Schema):
    success: Literal[True] = True
    data: Upload


class EstimateOut(Schema):
    success: Literal[True] = True
    data: Estimate


class JobOut(Schema):
    success: Literal[True] = True
    data: Job


class Page(Schema):
    page: int
    per_page: int
    has_more: bool


class JobsOut(Schema):
    success: Literal[True] = True
    data: list[Job]
    pagination: Page


class ModelInput(Schema):
    name: str
    label: str
    help: str
    type: str
    required: bool
    default: str | int | float
    options: list[str]
    minimum: float | None
    maximum: float | None


class Model(Schema):
    """`providers` on whose keys of one's own it runs; `credits` for one sample, null where it cannot run."""

    id: str
    label: str
    vendor: str
    description: str
    credits: int | None
    typical_seconds: int
    tiers: list[str]
    providers: list[str]
    takes_mask: bool
    most_images: int
    inputs: list[ModelInput]


class Preset(Schema):
    """A style or a character; `scope` is “system” or “workspace”."""

    id: UUID
    name: str
    scope: str


class ModelsOut(Schema):
    success: Literal[True] = True
    data: list[Model]


class PresetsOut(Schema):
    success: Literal[True] = True
    data: list[Preset]
