"""Catalogue entries in the public API's format."""

from __future__ import annotations

from editor import catalog
from editor.api import list_schemas as schemas
from editor.catalog.types import Model
from editor.queries.pricing import Offer


def models(offered: Offer) -> list[schemas.Model]:
    """All models of the catalogue; those that no provider is set up for have no price."""
    tiers = catalog.catalog().tiers.values()
    return [
        _model(
            model,
            credits=choice.credits if (choice := offered.models[model.id]) else None,
            not_allowed=(choice.refusal or None) if choice else None,
            tiers=[tier.id for tier in tiers if tier.model == model.id],
        )
        for model in catalog.catalog().models.values()
    ]


def _model(model: Model, *, credits: int | None, not_allowed: str | None, tiers: list[str]) -> schemas.Model:
    return schemas.Model(
        id=model.id,
        label=model.label,
        vendor=model.vendor,
        description=model.description,
        credits=credits,
        not_allowed=not_allowed,
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
