"""The choice of a model in the Studio: qualities, models, whose key pays, and what the choice means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from editor import catalog
from editor.access import accounts
from editor.catalog import matching, validation
from editor.catalog.types import Value
from editor.models import Image, Workspace
from editor.providers import registry
from editor.queries import pricing
from editor.queries.pricing import Choice, Offer

ALTERNATIVES = 3  # models offered in place of one that cannot do what the edit needs


@dataclass(frozen=True, slots=True)
class TierView:
    id: str
    label: str
    credits: int
    seconds: int
    checked: bool
    offered: bool
    refusal: str = ""  # why the rules of the workspace do not allow it


@dataclass(frozen=True, slots=True)
class ModelView:
    id: str
    label: str
    vendor: str
    credits: int
    seconds: int
    checked: bool
    note: str = ""
    takes_mask: bool = True
    several: bool = False  # images in one edit
    keeps_alpha: bool = True
    refusal: str = ""  # why the rules of the workspace do not allow it


@dataclass(frozen=True, slots=True)
class ProviderView:
    """Whose key pays: "platform", or the name of a provider with a key of the workspace's own."""

    name: str
    label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class AlphaNote:
    """Why the transparent parts of the image would be lost, and models that keep them."""

    text: str
    models: list[ModelView]


def provider_views(workspace: Workspace, choice: Choice) -> list[ProviderView]:
    """The portal, then the providers with own keys of the workspace; empty if there is no choice."""
    own = accounts.available(workspace).own
    if not own:
        return []
    known = registry.providers()
    names = [name for name in known if name in own]
    return [
        ProviderView(pricing.PLATFORM, "Portal (costs credits)", checked=not choice.own_key),
        *(
            ProviderView(name, f"Own key: {known[name].label}", checked=choice.provider == name)
            for name in names
        ),
    ]


def tier_views(offer: Offer, choice: Choice) -> list[TierView]:
    models = catalog.catalog().models
    views = []
    for tier in catalog.catalog().tiers.values():
        offered = offer.tiers[tier.id]
        model = offered.model if offered else models[tier.model]
        views.append(
            TierView(
                id=tier.id,
                label=tier.label,
                credits=offered.credits if offered else model.credits,
                seconds=model.typical_seconds,
                checked=tier.id == choice.tier,
                offered=offered is not None,
                refusal=offered.refusal if offered else "",
            )
        )
    return views


def model_views(offer: Offer, choice: Choice) -> list[ModelView]:
    """The offered models, those of one vendor together, in the catalogue's order."""
    views = [model_view(offered, choice) for offered in offer.models.values() if offered]
    vendors = list(dict.fromkeys(view.vendor for view in views))
    return sorted(views, key=lambda view: vendors.index(view.vendor))


def model_view(offered: Choice, choice: Choice) -> ModelView:
    """An offered model; checked if it was chosen directly, not through a tier."""
    model = offered.model
    provider = registry.get(offered.route.provider)
    label = provider.label if provider.needs_key else "the built-in sandbox"
    return ModelView(
        id=model.id,
        label=model.label,
        vendor=model.vendor,
        credits=offered.credits,
        seconds=model.typical_seconds,
        checked=not choice.tier and model.id == choice.model.id,
        note=f"Runs on {label}{' with your own key' if offered.own_key else ''}{_retires(offered)}",
        takes_mask=offered.route.mask,
        several=model.maximum_images > 1,
        keeps_alpha=offered.keeps_alpha,
        refusal=offered.refusal,
    )


def _retires(offered: Choice) -> str:
    day = offered.retires_on
    return f" · Retires {day.day} {day:%b}" if day else ""


def cheapest(models: list[ModelView], suits: Callable[[ModelView], bool]) -> list[ModelView]:
    """The cheapest suitable models that are allowed."""
    suitable = (model for model in models if not model.refusal and suits(model))
    return sorted(suitable, key=lambda model: model.credits)[:ALTERNATIVES]


def alpha_note(
    *,
    image: Image | None,
    choice: Choice,
    inputs: Mapping[str, object],
    match_format: bool,
    models: Callable[[], list[ModelView]],
) -> AlphaNote | None:
    """None if the edit of `image` can keep its transparency, or there is none.

    match_format  the result has the image's format
    models        all that are offered; called only if some are to be named

    Raises InvalidInput if the inputs are invalid.
    """
    if image is None or not image.may_have_alpha:
        return None
    if not choice.keeps_alpha:
        text = f"{choice.model.label} does not keep transparency: transparent parts will be filled."
        return AlphaNote(text, cheapest(models(), lambda model: model.keeps_alpha))
    cleaned: Mapping[str, Value] = validation.clean_inputs(choice.model, inputs)
    if match_format:
        cleaned = matching.with_format_of(image.content_type, choice.model, choice.route, cleaned)
    if matching.is_jpeg(cleaned):
        return AlphaNote("JPEG has no transparency: transparent parts will be filled.", [])
    return None
