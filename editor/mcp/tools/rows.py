"""Jobs and models in tools' output."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, Field

from editor import catalog
from editor.catalog.schema import json_schema
from editor.catalog.types import Model
from editor.concurrency.threads import in_storage_thread
from editor.errors import NotFound
from editor.mcp.tools.base import Picture
from editor.media import links, store
from editor.models import Image, Job, Status
from editor.queries.pricing import Offer

WAITS = "The edit waits for an owner or admin to approve it. Nothing is held for it."
LARGEST_PREVIEW = 100 * 1024  # bytes


class ResultOut(BaseModel):
    image_id: UUID = Field(description="Use it as the source of the next edit.")
    url: str = Field(description="URL of the full image, until it is deleted. Needs no key.")
    width: int
    height: int
    content_type: str


class JobOut(BaseModel):
    job_id: UUID
    status: str = Field(description="pending, processing, completed, failed or canceled.")
    percent: int | None = Field(description="Progress, if the provider reports it.")
    model: str
    model_tier: str | None
    prompt: str
    seed: int | None
    credits: int = Field(description="Held while it runs; charged when it completes.")
    created_at: datetime
    completed_at: datetime | None
    error: str | None
    error_code: str | None
    results: list[ResultOut]
    note: str | None = Field(None, description="What to do next if the job is still running.")


class ModelOut(BaseModel):
    id: str
    label: str
    vendor: str
    description: str
    credits: int | None = Field(description="For one image; null if no provider is set up for it.")
    typical_seconds: int
    tiers: list[str] = Field(description="The tiers that use this model.")
    providers: list[str] = Field(description="Providers that can run it on the workspace's own key.")
    not_allowed: str | None = Field(None, description="Why the rules of the workspace do not allow it.")
    needs_image: bool
    most_images: int
    takes_mask: bool
    parameter_names: list[str]
    parameters: dict[str, Any] | None = Field(
        None, description="JSON Schema of each parameter, if the model was requested by id."
    )


def job(row: Job, *, base_url: str, note: str | None = None) -> JobOut:
    """`row` with its results, see `queries.jobs.with_results`; `base_url` is scheme and host of links."""
    return JobOut(
        job_id=row.id,
        status=row.public_status,
        percent=row.percent if row.is_live else None,
        model=row.model,
        model_tier=row.tier or None,
        prompt=row.prompt,
        seed=row.seed,
        credits=row.price if row.is_live else row.charged,
        created_at=row.created_at,
        completed_at=row.finished_at,
        error=row.error if row.error_code else None,
        error_code=row.error_code or None,
        results=[_result(image, base_url) for image in results(row)],
        note=note or _note(row),
    )


def _note(row: Job) -> str | None:
    """What it waits for, or what a completed one lacks."""
    if row.status == Status.WAITING:
        return WAITS
    return None if row.error_code else row.error or None


def results(row: Job) -> list[Image]:
    """The results that are not in the trash, in order."""
    found: list[Image] = row.shown_results  # type: ignore[attr-defined]
    return found


def _result(image: Image, base_url: str) -> ResultOut:
    return ResultOut(
        image_id=image.id,
        url=f"{base_url}{links.sign_lasting(image.id)}",
        width=image.width,
        height=image.height,
        content_type=image.content_type,
    )


async def pictures(row: Job, *, base_url: str) -> list[Picture]:
    """The job's results with their previews."""
    return [await in_storage_thread(_picture, image, base_url) for image in results(row)]


def _picture(image: Image, base_url: str) -> Picture:
    return Picture(
        name=f"{image.id}.{image.content_type.partition('/')[2]}",
        url=f"{base_url}{links.sign_lasting(image.id)}",
        content_type=image.content_type,
        size=image.size,
        preview=_preview(image),
    )


def _preview(image: Image) -> bytes:
    """The larger of the two small thumbnails within LARGEST_PREVIEW; b"" if files are missing."""
    try:
        for width in sorted(store.THUMBNAILS[:2], reverse=True):
            content = store.read(store.thumbnail_name(image.storage_name, width))
            if len(content) <= LARGEST_PREVIEW:
                return content
    except NotFound:
        pass
    return b""


def model(entry: Model, *, offered: Offer, in_full: bool) -> ModelOut:
    choice = offered.models[entry.id]
    names = [item.name for item in entry.options]
    properties = json_schema(entry)["properties"]
    return ModelOut(
        id=entry.id,
        label=entry.label,
        vendor=entry.vendor,
        description=entry.description,
        credits=choice.credits if choice else None,
        typical_seconds=entry.typical_seconds,
        tiers=[tier.id for tier in catalog.catalog().tiers.values() if tier.model == entry.id],
        providers=list(entry.providers),
        not_allowed=(choice.refusal or None) if choice else None,
        needs_image=not entry.text_to_image,
        most_images=entry.maximum_images,
        takes_mask=entry.mask,
        parameter_names=names,
        parameters={name: properties[name] for name in names} if in_full else None,
    )
