"""Rows as the public API tells them."""

from __future__ import annotations

from typing import cast

from editor import catalog
from editor.api import schemas
from editor.catalog.types import Model
from editor.media import links
from editor.models import Image, Job
from editor.operations.pricing import Offer


def job(row: Job, *, at: str) -> schemas.Job:
    """`row` with its results, see `queries.jobs.with_results`; `at` is what links begin with."""
    results = [_result(image, at) for image in row.shown_results]  # type: ignore[attr-defined]
    first = results[0] if results else None
    return schemas.Job(
        job_id=row.id,
        status=cast(schemas.StatusName, row.status),
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
        error=row.error or None,
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


def _result(image: Image, at: str) -> schemas.JobResult:
    return schemas.JobResult(
        image_id=image.id,
        url=f"{at}{links.sign_lasting(image.id)}",
        width=image.width,
        height=image.height,
        content_type=image.content_type,
    )


def models(offered: Offer) -> list[schemas.Model]:
    """All of the catalogue; what nothing is set up for has no price."""
    tiers = catalog.catalog().tiers.values()
    return [
        _model(
            model,
            credits=choice.credits if (choice := offered.models[model.id]) else None,
            tiers=[tier.id for tier in tiers if tier.model == model.id],
        )
        for model in catalog.catalog().models.values()
    ]


def _model(model: Model, *, credits: int | None, tiers: list[str]) -> schemas.Model:
    return schemas.Model(
        id=model.id,
        label=model.label,
        vendor=model.vendor,
        description=model.description,
        credits=credits,
        typical_seconds=model.typical_seconds,
        tiers=tiers,
        providers=list(model.providers),
        takes_mask=model.mask,
        most_images=model.maximum_images,
        inputs=[
            schemas.ModelInput(
                name=item.name,
                label=item.display_label,
                help=item.display_help,
                type=item.type,
                required=item.required,
                default=item.default,
                options=[option.value for option in item.options],
                minimum=item.minimum,
                maximum=item.maximum,
            )
            for item in model.options
        ],
    )
