"""The Providers page of a workspace's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from editor import catalog
from editor.access.actor import Actor
from editor.models import ProviderKey
from editor.operations.provider_keys import TWO_PART
from editor.providers import registry
from editor.providers.base import Provider
from editor.queries import provider_keys

SHOWN_MODELS = 3


@dataclass(frozen=True, slots=True)
class KeyView:
    id: UUID
    is_enabled: bool
    checked_at: datetime | None
    note: str


@dataclass(frozen=True, slots=True)
class ProviderCard:
    """One provider, with the workspace's own key if it has one.

    serves   summary of its models
    badge    label of the state
    allowed  the plan includes own keys
    """

    name: str
    label: str
    serves: str
    state: Literal["connected", "problem", "disabled", "empty"]
    badge: str
    takes_secret: bool
    key: KeyView | None
    allowed: bool


def provider_cards(actor: Actor) -> list[ProviderCard]:
    """A card for each installed provider that needs a key, sorted by label."""
    keys = provider_keys.keys(actor.workspace)
    providers = [provider for provider in registry.providers().values() if provider.needs_key]
    providers.sort(key=lambda provider: provider.label.casefold())
    return [_card(actor, provider, keys.get(provider.name)) for provider in providers]


def provider_card(actor: Actor, name: str) -> ProviderCard:
    return _card(actor, registry.get(name), provider_keys.keys(actor.workspace).get(name))


def _card(actor: Actor, provider: Provider, key: ProviderKey | None) -> ProviderCard:
    state, label = _state(key)
    return ProviderCard(
        name=provider.name,
        label=provider.label,
        serves=_serves(provider.name),
        state=state,
        badge=f"{label} ··· {key.last_four}" if key else label,
        takes_secret=provider.name in TWO_PART,
        key=KeyView(key.pk, key.is_enabled, key.checked_at, key.note) if key else None,
        allowed=actor.workspace.plan.own_keys,
    )


def _state(key: ProviderKey | None) -> tuple[Literal["connected", "problem", "disabled", "empty"], str]:
    if key is None:
        return "empty", "Not set up"
    if not key.is_enabled:
        return "disabled", "Disabled"
    return ("connected", "Connected") if key.checked_at else ("problem", "Problem")


def _serves(name: str) -> str:
    """ "FLUX.2 [pro], FLUX.2 [flex], FLUX.1 Fill and 4 more"."""
    models = [model.label for model in catalog.catalog().models.values() if name in model.providers]
    shown = ", ".join(models[:SHOWN_MODELS])
    return f"{shown} and {len(models) - SHOWN_MODELS} more" if len(models) > SHOWN_MODELS else shown
