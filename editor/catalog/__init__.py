"""The catalogue: models, their inputs, prices and routes, and the tiers that name them.

One TOML file per model in `models/`, the tiers in `tiers.toml`. See docs/catalogue.md.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from editor.catalog.loader import load
from editor.catalog.types import Catalog, Model, Tier
from editor.errors import InvalidInput

DIRECTORY = Path(__file__).parent


@cache
def catalog() -> Catalog:
    """The portal's catalogue, read once per process. Raises CatalogError for invalid files."""
    return load(DIRECTORY)


def get_model(model_id: str) -> Model:
    """The model with that id. Raises InvalidInput that lists the known ones."""
    models = catalog().models
    if model_id not in models:
        message = f"There is no such model. Choose one of: {', '.join(models)}."
        raise InvalidInput(message, fields={"model": message})
    return models[model_id]


def get_tier(tier_id: str) -> Tier:
    """The tier with that id. Raises InvalidInput that lists the known ones."""
    tiers = catalog().tiers
    if tier_id not in tiers:
        message = f"There is no such tier. Choose one of: {', '.join(tiers)}."
        raise InvalidInput(message, fields={"tier": message})
    return tiers[tier_id]


def own_key_model(tier: Tier, provider: str) -> Model | None:
    """The model that a tier uses with a workspace's own key at that provider.

    None if the tier is not offered with such a key.
    """
    model = catalog().models[tier.own_keys.get(provider, tier.model)]
    return model if provider in model.providers else None
