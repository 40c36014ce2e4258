"""Request and response schemas of the public API.

Source: Flokan's Image Editor API. Fields that it does not have are marked as additions. The descriptions
appear in the OpenAPI document and on the reference page.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from ninja import Field, Schema
from pydantic import (
    BeforeValidator,
    ConfigDict,
    ModelWrapValidatorHandler,
    StringConstraints,
    model_validator,
)

from editor.catalog.types import TierId
from editor.operations.approvals import LONGEST_TEXT
from editor.operations.webhooks import callbacks
from editor.providers import registry
from editor.queries.limits import Kind
from editor.representations.api import Job, Moment

PROVIDERS = ["platform", *(name for name, provider in registry.providers().items() if provider.needs_key)]
LONGEST_URL = 2000  # characters
MOST_IMAGES = 16


ProviderName = Annotated[
    str,
    StringConstraints(max_length=20),
    Field(
        json_schema_extra={"enum": PROVIDERS},
        description="`platform` runs on the portal's keys and costs credits; the name of a provider runs on "
        "the workspace's own key for it and costs none.",
    ),
]


def _no_text(value: object) -> object:
    if isinstance(value, bool | str):
        raise ValueError("Enter a whole number.")
    return value


# Only JSON numbers, including 5.0.
Bytes = Annotated[int, Field(ge=0, le=2**62), BeforeValidator(_no_text)]
LimitName = Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in Kind]})]
Success = Annotated[Literal[True], Field(description="Always true; false in errors.")]


class Problem(Schema):
    """What every error looks like."""

    success: Literal[False] = Field(False, description="Always false.")
    error: str = Field(description="A message for people: what happened and what to do.")
    # Additions:
    code: str = Field(description="A stable code for programs.")
    fields: dict[str, str] | None = Field(None, description="What is wrong, by field name.")
    job_id: UUID | None = Field(None, description="The job that failed, if there is one.")
    limit: str | None = Field(None, description="The limit that binds, as in GET /limits.")
    remaining: int | None = Field(None, description="Credits that this limit still allows.")
    resets_at: Moment | None = Field(None, description="When this limit resets. UTC.")


def errors(*codes: int) -> dict[int, Any]:
    """The documented errors of an operation: its own and those that every operation can return."""
    return dict.fromkeys(sorted({400, 401, 403, 408, 413, 429, 500, *codes}), Problem)


# --- Requests --------------------------------------------------------------------------


_BLANK: list[dict[str, Any]] = [{"type": "null"}, {"type": "string", "maxLength": 0}]


def _document_blanks(schema: dict[str, Any]) -> None:
    """Add to the JSON schema of a request what `Request` accepts: null and "" in optional fields."""
    own = ("title", "description", "default")
    for name, field in schema["properties"].items():
        if name not in schema.get("required", []):
            value = {key: field.pop(key) for key in list(field) if key not in own}
            kinds = value.get("anyOf", [value])
            field["anyOf"] = [*(kind for kind in kinds if kind not in _BLANK), *_BLANK]


class Request(Schema):
    """A request body. Clients that fill in a form send null or "" for what they do not set: it is absent."""

    model_config = ConfigDict(json_schema_extra=_document_blanks)

    # Around ninja's own validator, which hides the values from one that runs before.
    @model_validator(mode="wrap")
    @classmethod
    def _without_blanks(cls, values: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        if not isinstance(values, dict):
            return handler(values)
        required = {name for name, field in cls.model_fields.items() if field.is_required()}
        given = {name: value for name, value in values.items() if name in required or value not in (None, "")}
        return handler(given)


class UploadIn(Request):
    file_name: Annotated[str, StringConstraints(min_length=1, max_length=255)] = Field(
        description="Name of the image in the gallery; 1 to 255 characters."
    )
    mime_type: Literal[
        "image/jpeg",
        "image/png",
        "image/webp",
        "image/gif",
        "image/heic",
        "image/avif",
        "image/jpg",
        "image/pjpeg",
        "image/pjpg",
        "image/x-png",
        "image/heif",
    ] = Field(
        description="The Content-Type that you will upload the file with. The last five are other spellings "
        "of the first six. What the file is, its bytes decide."
    )
    file_size: Bytes | None = Field(
        None,
        description="Size of the file in bytes. This much of the workspace's storage is reserved until the "
        "file is used or its link expires; without it, 25 MiB.",
    )


def _document_choice(schema: dict[str, Any]) -> None:
    """In JSON Schema: either a tier or an exact model."""
    _document_blanks(schema)
    schema["oneOf"] = [
        {
            "required": [name],
            "properties": {name: {"type": "string", "minLength": 1}, other: {"anyOf": _BLANK}},
        }
        for name, other in (("model_tier", "model"), ("model", "model_tier"))
    ]


class _Choice(Request):
    """A tier, or an exact model in its place."""

    model_config = ConfigDict(json_schema_extra=_document_choice)

    model_tier: TierId | None = Field(
        None, description="The quality, which selects the model. Required unless `model` is given."
    )
    provider: ProviderName = "platform"
    # Additions:
    model: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = Field(
        None, description="An exact model instead of a tier: an `id` from GET /models."
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Inputs of the model, by their names in GET /models."
    )

    @model_validator(mode="after")
    def _one_of_them(self) -> _Choice:
        if not self.model_tier and not self.model:
            raise ValueError("model_tier is required: pro, standard or creative.")
        if self.model_tier and self.model:
            raise ValueError("Set model_tier or model, not both.")
        return self


class EstimateIn(_Choice):
    """What would be run."""


class ProcessIn(_Choice):
    prompt: Annotated[str, StringConstraints(min_length=1, max_length=10_000)] = Field(
        description="What to create, or what to change in the source image; 1 to 10,000 characters."
    )
    image_id: UUID | None = Field(
        None,
        description="The source image: an `image_id` from POST /upload-url, or the `result_image_id` of "
        "another job of this workspace.",
    )
    image_url: Annotated[str, StringConstraints(max_length=LONGEST_URL)] | None = Field(
        None, description="An https URL of the source image. Ignored if `image_id` is given."
    )
    style_id: UUID | None = Field(None, description="A style to apply: an `id` from GET /styles.")
    character_id: UUID | None = Field(
        None, description="A character to keep consistent: an `id` from GET /characters."
    )
    # Additions:
    quote_id: UUID | None = Field(
        None,
        description="A `quote_id` from POST /estimate-credits, of the same key's holder, for the same model "
        "or tier, provider and number of images: the job costs no more than was quoted.",
    )
    image_ids: Annotated[list[UUID], Field(max_length=MOST_IMAGES)] = Field(
        default_factory=list, description="More images, in the order to use them."
    )
    mask_id: UUID | None = Field(
        None, description="An uploaded mask for the source image: its white parts are changed."
    )
    webhook_url: Annotated[str, StringConstraints(max_length=callbacks.LONGEST_URL)] | None = Field(
        None,
        description="An https URL that receives the job when it ends, as a Standard Webhook.",
    )
    webhook_secret: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        None,
        description="Signs the message to `webhook_url`: `whsec_` followed by 24 to 64 bytes in base64.",
    )
    approval: Literal["request"] | None = Field(
        None,
        description="`request`: if only your own limit or the workspace's limit of one edit is in the way, "
        "ask an owner or admin for an approval instead of failing.",
    )
    approval_message: Annotated[str, StringConstraints(max_length=LONGEST_TEXT)] | None = Field(
        None, description="Why you ask for the approval; at most 300 characters."
    )
    asynchronous: bool = Field(
        False, alias="async", strict=True, description="True: respond at once, with 202 and the job."
    )


# --- Responses -------------------------------------------------------------------------


class Upload(Schema):
    """A link to upload one file to."""

    image_id: UUID = Field(description="Use it as an image of POST /process.")
    upload_url: str = Field(description="Where to PUT the file, with `mime_type` as its Content-Type.")
    public_url: str = Field(description="URL of the image, once it has been uploaded and used.")
    expires_in: int = Field(description="Seconds until `upload_url` expires.")


class Estimate(Schema):
    """What one call of POST /process would cost."""

    model_tier: str | None = Field(description="The requested tier.")
    provider: str = Field(description="The requested provider.")
    estimated_credits: int = Field(description="Credits, at most. 0 on the workspace's own key.")
    is_exact: bool = Field(description="False: it may cost less, but never more.")
    available_credits: int = Field(description="Credits that the workspace can spend.")
    can_proceed: bool = Field(description="Whether they cover the estimate.")
    byok_skips_credits: bool = Field(description="True if the job would run on the workspace's own key.")
    # Additions:
    model: str = Field(description="The model that would run.")
    quote_id: UUID = Field(description="Use it in POST /process, to pay no more than this estimate.")
    quote_expires_at: Moment = Field(description="Until when `quote_id` is accepted. UTC.")
    limit: LimitName | None = Field(description="The limit that does not allow it; null if all do.")


class UploadOut(Schema):
    success: Success = True
    data: Upload = Field(description="The upload link.")


class EstimateOut(Schema):
    success: Success = True
    data: Estimate = Field(description="The estimate.")


class JobOut(Schema):
    success: Success = True
    data: Job = Field(description="The job.")


class Page(Schema):
    page: int = Field(description="Page number, starting at 1.")
    per_page: int = Field(description="Rows per page.")
    has_more: bool = Field(description="Whether there is another page.")


class JobsOut(Schema):
    success: Success = True
    data: list[Job] = Field(description="The jobs.")
    pagination: Page = Field(description="The position in the list.")
