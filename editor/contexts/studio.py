"""The Studio page and its fragments."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.forms import BaseForm
from django.templatetags.static import static

from editor import catalog
from editor.access import accounts
from editor.access.actor import VIEW_ONLY, Actor
from editor.access.permissions import Permission
from editor.contexts.jobs import Failure, JobView, failure, job_view
from editor.contexts.rail import Rail, rail_view
from editor.contexts.versions import (
    StageView,
    shown_sources,
    stage_view,
    version_view,
)
from editor.media import links
from editor.models import Character, Image, Style, Workspace
from editor.operations.images import SAMPLES
from editor.providers import registry
from editor.queries import pricing, studio
from editor.queries.pricing import Choice, Offer, Quote

MASK_MODELS = 3  # offered when the selected model does not support masks


@dataclass(frozen=True, slots=True)
class TierView:
    id: str
    label: str
    credits: int
    seconds: int
    checked: bool
    offered: bool


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


@dataclass(frozen=True, slots=True)
class ProviderView:
    """Whose key pays: "platform", or the name of a provider with a key of the workspace's own."""

    name: str
    label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class TileView:
    id: str
    name: str
    preview_url: str | None
    checked: bool


@dataclass(frozen=True, slots=True)
class SampleView:
    name: str
    label: str
    thumb_url: str


@dataclass(frozen=True, slots=True)
class IdeaView:
    label: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Studio:
    workspace: Workspace
    stage: StageView | None
    rail: Rail
    jobs: list[JobView]
    providers: list[ProviderView]
    tiers: list[TierView]
    models: list[ModelView]
    mask_models: list[ModelView]  # the cheapest that support a mask
    model: ModelView
    form: BaseForm
    styles: list[TileView]
    characters: list[TileView]
    quote: Quote
    ideas: list[IdeaView]
    samples: list[SampleView]
    idempotency_key: str
    draft_key: str  # what the browser keeps the entered values under
    view_only: str  # why the viewer cannot edit; empty if they can
    failure: Failure | None = None
    prompt: str = ""
    error: str | None = None


def new_idempotency_key() -> str:
    return str(uuid.uuid4())


def studio_page(
    *,
    actor: Actor,
    current: Image | None,
    compared_id: str = "",
    choice: Choice,
    quote: Quote,
    form: BaseForm,
    style_id: str = "",
    character_id: str = "",
    prompt: str = "",
    error: str | None = None,
) -> Studio:
    """Everything the page shows around the image `current`; a constant number of queries.

    `compared_id` may be another version of the same image; any other value is ignored.
    """
    workspace = actor.workspace
    tree = studio.edit_tree(current) if current else []
    offer = pricing.offer(workspace=workspace, provider=choice.provider)
    models = _models(offer, choice)
    return Studio(
        workspace=workspace,
        stage=_stage(actor, current, tree=tree, compared_id=compared_id) if current else None,
        rail=rail_view(workspace, tree, current),
        jobs=[job_view(workspace, job) for job in studio.live_jobs(workspace, actor.user)],
        providers=_providers(workspace, choice),
        tiers=_tiers(offer, choice),
        models=models,
        mask_models=sorted((one for one in models if one.takes_mask), key=lambda one: one.credits)[
            :MASK_MODELS
        ],
        model=_model(choice, choice),
        form=form,
        styles=[_style(style, style_id) for style in studio.styles(workspace)],
        characters=[_character(character, character_id) for character in studio.characters(workspace)],
        quote=quote,
        ideas=[IdeaView(idea.label, idea.prompt) for idea in choice.model.ideas],
        samples=_samples() if actor.may(Permission.EDIT) else [],
        idempotency_key=new_idempotency_key(),
        draft_key=f"{actor.user.pk} {workspace.pk}",
        view_only="" if actor.may(Permission.EDIT) else VIEW_ONLY,
        failure=failure(failed) if (failed := studio.newest_if_failed(workspace, actor.user)) else None,
        prompt=prompt,
        error=error,
    )


def _samples() -> list[SampleView]:
    return [SampleView(name, label, f"samples/{name}-thumb.webp") for name, label in SAMPLES.items()]


def prompt_history(actor: Actor) -> list[str]:
    """The user's newest prompts in this workspace, without duplicates."""
    return studio.prompts(actor.workspace, actor.user)


def _stage(actor: Actor, current: Image, *, tree: list[Image], compared_id: str) -> StageView:
    workspace = actor.workspace
    sources = shown_sources(tree)
    shown = [image for image in tree if image.pk in sources]
    here = next(image for image in tree if image.pk == current.pk)
    source = next((image for image in shown if image.pk == sources.get(here.pk)), None)
    compared = next((image for image in shown if str(image.pk) == compared_id != str(here.pk)), None)
    samples = [image for image in shown if here.job_id and image.job_id == here.job_id]
    return stage_view(
        workspace,
        version_view(workspace, here),
        source=version_view(workspace, source) if source else None,
        compared=version_view(workspace, compared) if compared else None,
        samples=[version_view(workspace, image) for image in samples],
        starred=studio.is_starred(current, actor.user),
    )


def _providers(workspace: Workspace, choice: Choice) -> list[ProviderView]:
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


def _tiers(offer: Offer, choice: Choice) -> list[TierView]:
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
            )
        )
    return views


def _models(offer: Offer, choice: Choice) -> list[ModelView]:
    """The offered models, those of one vendor together, in the catalogue's order."""
    views = [_model(offered, choice) for offered in offer.models.values() if offered]
    vendors = list(dict.fromkeys(view.vendor for view in views))
    return sorted(views, key=lambda view: vendors.index(view.vendor))


def _cheapest_with_mask(models: list[ModelView]) -> list[ModelView]:
    supporting = [model for model in models if model.takes_mask]
    return sorted(supporting, key=lambda model: model.credits)[:MASK_MODELS]


def _model(offered: Choice, choice: Choice) -> ModelView:
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
        note=f"Runs on {label}{' with your own key' if offered.own_key else ''}",
        takes_mask=offered.route.mask,
        several=model.maximum_images > 1,
    )


def _style(style: Style, chosen: str) -> TileView:
    return TileView(str(style.id), style.name, _preview(style), checked=str(style.id) == chosen)


def _preview(style: Style) -> str | None:
    """None also if the operator named a missing file: a tile's preview is no reason to fail."""
    try:
        return static(style.preview) if style.preview else None
    except ValueError:
        return None


def _character(character: Character, chosen: str) -> TileView:
    shown = (one.image_id for one in character.character_images.all() if one.image.trashed_at is None)
    first = next(shown, None)
    preview = links.sign(first, "160") if first else None
    return TileView(str(character.id), character.name, preview, checked=str(character.id) == chosen)
