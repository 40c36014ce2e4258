"""The models as an operator offers them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from editor import catalog
from editor.catalog.types import Model
from editor.models import ModelSetting
from editor.providers import registry
from editor.queries import offers
from editor.queries.operator import workspaces


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """What one workspace pays for one image."""

    workspace: str
    workspace_id: UUID
    credits: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model.

    usual    the catalogue's price of one image; credits: the operator's, or None
    routes   labels of its providers, and whether the portal's route is on
    badge    (state, text)
    """

    id: str
    label: str
    vendor: str
    usual: int
    is_enabled: bool
    credits: int | None
    retires_on: date | None
    routes: list[tuple[str, bool]]
    own_prices: list[OwnPrice]
    badge: tuple[str, str]


def model_rows() -> list[ModelRow]:
    decided, off = workspaces.model_settings(), offers.routes_off()
    by_model: dict[str, list[ModelSetting]] = {}
    for row in decided:
        by_model.setdefault(row.model, []).append(row)
    return [_row(model, by_model.get(model.id, []), off) for model in catalog.catalog().models.values()]


def _row(model: Model, decided: Sequence[ModelSetting], off: frozenset[tuple[str, str]]) -> ModelRow:
    everywhere = next((row for row in decided if row.workspace_id is None), ModelSetting(model=model.id))
    labels: Mapping[str, str] = {name: one.label for name, one in registry.providers().items()}
    return ModelRow(
        id=model.id,
        label=model.label,
        vendor=model.vendor,
        usual=model.credits,
        is_enabled=everywhere.enabled,
        credits=everywhere.credits,
        retires_on=everywhere.retires_on,
        routes=[
            (labels.get(name, name), not off & {(name, ""), (name, model.id)}) for name in model.providers
        ],
        own_prices=[
            OwnPrice(row.workspace.name, row.workspace.pk, row.credits)
            for row in decided
            if row.workspace and row.credits is not None
        ],
        badge=_badge(everywhere),
    )


def _badge(row: ModelSetting) -> tuple[str, str]:
    if not row.enabled:
        return "disabled", "Switched off"
    if row.retires_on and row.retires_on <= workspaces.today():
        return "disabled", "Retired"
    if row.retires_on:
        return "problem", f"Retires {row.retires_on.day} {row.retires_on:%b %Y}"
    return "active", "Offered"
