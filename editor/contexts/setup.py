"""The page of the first start that connects providers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from editor.access.actor import Actor
from editor.contexts.provider_keys import ProviderCard, provider_card, provider_cards
from editor.providers import registry


@dataclass(frozen=True, slots=True)
class SetupCard:
    """A provider, and the result of testing a key.

    keys_url  the provider's own page for its keys
    note      what the test found; "" before there was one
    """

    card: ProviderCard
    keys_url: str
    state: Literal["ok", "bad", "unknown", ""]
    note: str


def setup_cards(actor: Actor) -> list[SetupCard]:
    return [_of_stored(card) for card in provider_cards(actor)]


def tested_card(actor: Actor, name: str, *, seconds: float) -> SetupCard:
    """The card after a key was tested and saved. `seconds`: how long that took."""
    found = _of_stored(provider_card(actor, name))
    if found.state != "ok":
        return found
    note = f"Works, answered in {seconds:.1f} s"
    text = found.card.key.note if found.card.key else ""
    return SetupCard(found.card, found.keys_url, "ok", f"{note}. {text}" if text else note)


def refused_card(actor: Actor, name: str, *, problem: str) -> SetupCard:
    """The card after a key was refused, and not saved."""
    card = provider_card(actor, name)
    return SetupCard(card, registry.get(name).keys_url, "bad", problem)


def _of_stored(card: ProviderCard) -> SetupCard:
    keys_url = registry.get(card.name).keys_url
    if card.key is None:
        return SetupCard(card, keys_url, "", "")
    if card.state == "connected":
        return SetupCard(card, keys_url, "ok", card.key.note or "Connected")
    return SetupCard(card, keys_url, "unknown", card.key.note or "This key is disabled.")
