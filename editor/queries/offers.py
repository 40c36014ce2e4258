"""What operators changed of the catalogue: which models and routes are off, prices, retirement dates.

Read anew each time, in two queries for all models: the tables have a few rows, so that no process works with
earlier decisions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from django.db.models import Q
from django.utils import timezone

from editor.catalog.types import Model, Route
from editor.models import ModelSetting, RouteSetting, Workspace


@dataclass(frozen=True, slots=True)
class Decisions:
    """Those that concern one workspace.

    off         models that cannot be used, switched off or retired
    prices      credits of one image by model, on every route, instead of the catalogue's
    retires_on  the first day on which a model cannot be used (UTC)
    routes_off  (provider, model) whose portal keys are not used; "": all models of the provider
    """

    off: frozenset[str]
    prices: Mapping[str, int]
    retires_on: Mapping[str, date]
    routes_off: frozenset[tuple[str, str]]

    def allows(self, provider: str, model: str) -> bool:
        """Whether the portal's key may be used on this route."""
        return not self.routes_off & {(provider, ""), (provider, model)}

    def priced(self, route: Route, model: Model) -> Route:
        """The route with the price that it has now."""
        credits = self.prices.get(model.id)
        return route if credits is None else replace(route, credits=credits)


def decisions(workspace: Workspace) -> Decisions:
    today = timezone.now().date()
    rows = list(ModelSetting.objects.filter(Q(workspace=None) | Q(workspace=workspace)))
    rows.sort(key=lambda row: row.workspace_id is not None)  # the workspace's own price wins
    retires_on = {row.model: row.retires_on for row in rows if row.retires_on}
    switched_off = {row.model for row in rows if not row.enabled}
    return Decisions(
        off=frozenset(switched_off | {model for model, day in retires_on.items() if day <= today}),
        prices={row.model: row.credits for row in rows if row.credits is not None},
        retires_on=retires_on,
        routes_off=routes_off(),
    )


def routes_off() -> frozenset[tuple[str, str]]:
    """(provider, model) of the portal's routes that are switched off; model "": all."""
    return frozenset(RouteSetting.objects.values_list("provider", "model"))
