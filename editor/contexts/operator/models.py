"""The models as an operator offers them."""

from __future__ import annotations

from collections import defaultdict
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

SHOWN = 5  # workspaces with a price of their own, of each model


@dataclass(frozen=True, slots=True)
class OwnPrice:
    """What one workspace pays for one image."""

    workspace: str
    workspace_id: UUID
    credits: int


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One model.

    usual         the catalogue's price of one image; credits: the operator's, or None
    routes        labels of its providers, and whether the portal's route is on
    other_prices  how many more workspaces have a price of their own
    badge         (state, text)
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
    other_prices: int
    badge: tuple[str, str]


def model_rows() -> list[ModelRow]:
    everywhere = {row.model: row for row in workspaces.model_settings(None)}
    own: dict[str, list[ModelSetting]] = defaultdict(list)
    for row in workspaces.own_prices(per_model=SHOWN):
        own[row.model].append(row)
    off = offers.routes_off()
    return [
        _row(model, everywhere.get(model.id) or ModelSetting(model=model.id), own[model.id], off)
        for model in catalog.catalog().models.values()
    ]


def _row(
    model: Model, everywhere: ModelSetting, own: Sequence[ModelSetting], off: frozenset[tuple[str, str]]
) -> ModelRow:
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
            OwnPrice(row.workspace.name, row.workspace.pk, row.credits or 0) for row in own if row.workspace
        ],
        other_prices=own[0].total - len(own) if own else 0,  # type: ignore[attr-defined]
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
