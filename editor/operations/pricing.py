"""What an edit would run on and cost. The price that is shown is the price that is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from editor import catalog
from editor.access.actor import Actor
from editor.catalog import validation
from editor.catalog.types import Model, Route
from editor.errors import Unprocessable
from editor.models import CreditAccount
from editor.providers import registry

PLATFORM = "platform"
DEFAULT_TIER = "standard"


@dataclass(frozen=True, slots=True)
class Choice:
    """Which model, in which tier (empty when an exact model was named), by which route."""

    model: Model
    tier: str
    route: Route


@dataclass(frozen=True, slots=True)
class Quote:
    """Credits: what the edit costs, what the workspace has, and what would be left."""

    model: Model
    credits: int
    balance: int

    @property
    def after(self) -> int:
        return self.balance - self.credits

    @property
    def enough(self) -> bool:
        return self.after >= 0


def choose(*, model: str = "", tier: str = "", provider: str = PLATFORM) -> Choice:
    """Resolve an exact model, or else a tier, to the route that will serve it.

    Raises InvalidInput for an unknown model or tier, Unprocessable when `provider` is
    another than "platform": a workspace's own keys are strict, never a silent fall back.
    """
    if provider != PLATFORM:
        raise Unprocessable(f"The provider “{provider}” is not set up in this workspace.")
    preferred = None
    if model:
        entry, tier = catalog.get_model(model), ""
    else:
        chosen = catalog.get_tier(tier or DEFAULT_TIER)
        entry, tier, preferred = catalog.get_model(chosen.model), chosen.id, chosen.route
    available = [route for route in entry.routes if route.provider in registry.providers()]
    routes = [route for route in available if preferred in (None, route.provider)]
    if not routes:
        raise Unprocessable(f"No provider is set up for {entry.label}.")
    return Choice(model=entry, tier=tier, route=routes[0])


def quote(*, actor: Actor, choice: Choice, inputs: Mapping[str, Any]) -> Quote:
    """The price of one run. Raises InvalidInput when the inputs are wrong."""
    cleaned = validation.clean_inputs(choice.model, inputs)
    account = CreditAccount.objects.get(workspace=actor.workspace)
    return Quote(
        model=choice.model,
        credits=validation.price(choice.model, cleaned),
        balance=account.balance,
    )
