"""The Studio's page and its fragments."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.forms import BaseForm
from django.templatetags.static import static

from editor import catalog
from editor.access.actor import Actor
from editor.catalog.types import Model
from editor.contexts.jobs import JobView, job_view
from editor.contexts.versions import VersionView, tree_view, version_view
from editor.media import links
from editor.models import Character, Image, Style, Workspace
from editor.operations.images import SAMPLES
from editor.operations.pricing import Choice, Quote
from editor.providers import registry
from editor.queries import studio


@dataclass(frozen=True, slots=True)
class TierView:
    id: str
    label: str
    credits: int
    seconds: int
    model_label: str
    checked: bool


@dataclass(frozen=True, slots=True)
class ModelView:
    id: str
    label: str
    vendor: str
    credits: int
    seconds: int
    checked: bool
    note: str = ""


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
    current: VersionView | None
    before: VersionView | None
    tree: list[VersionView]
    jobs: list[JobView]
    tiers: list[TierView]
    models: list[ModelView]
    model: ModelView
    form: BaseForm
    styles: list[TileView]
    characters: list[TileView]
    quote: Quote
    ideas: list[IdeaView]
    samples: list[SampleView]
    idempotency_key: str
    prompt: str = ""
    error: str | None = None


def new_idempotency_key() -> str:
    return str(uuid.uuid4())


def studio_page(
    *,
    actor: Actor,
    current: Image | None,
    choice: Choice,
    quote: Quote,
    form: BaseForm,
    style_id: str = "",
    character_id: str = "",
    prompt: str = "",
    error: str | None = None,
) -> Studio:
    """Everything the page shows around the image `current`; a constant number of queries."""
    workspace = actor.workspace
    tree = studio.edit_tree(current) if current else []
    by_id = {image.pk: image for image in tree}
    here = by_id[current.pk] if current else None
    parent = by_id.get(here.parent_id) if here and here.parent_id else None
    return Studio(
        workspace=workspace,
        current=version_view(workspace, here) if here else None,
        before=version_view(workspace, parent) if parent else None,
        tree=tree_view(workspace, tree, current),
        jobs=[job_view(workspace, job) for job in studio.live_jobs(workspace, actor.user)],
        tiers=_tiers(choice),
        models=[_model(model, choice) for model in catalog.catalog().models.values()],
        model=_model(choice.model, choice),
        form=form,
        styles=[_style(style, style_id) for style in studio.styles(workspace)],
        characters=[_character(character, character_id) for character in studio.characters(workspace)],
        quote=quote,
        ideas=[IdeaView(idea.label, idea.prompt) for idea in choice.model.ideas],
        samples=[SampleView(name, label, f"samples/{name}-thumb.webp") for name, label in SAMPLES.items()],
        idempotency_key=new_idempotency_key(),
        prompt=prompt,
        error=error,
    )


def _tiers(choice: Choice) -> list[TierView]:
    models = catalog.catalog().models
    return [
        TierView(
            id=tier.id,
            label=tier.label,
            credits=models[tier.model].credits,
            seconds=models[tier.model].typical_seconds,
            model_label=models[tier.model].label,
            checked=tier.id == choice.tier,
        )
        for tier in catalog.catalog().tiers.values()
    ]


def _model(model: Model, choice: Choice) -> ModelView:
    provider = registry.get(choice.route.provider)
    return ModelView(
        id=model.id,
        label=model.label,
        vendor=model.vendor,
        credits=model.credits,
        seconds=model.typical_seconds,
        checked=not choice.tier and model.id == choice.model.id,
        note=f"Run by the {provider.label[:1].lower()}{provider.label[1:]}",
    )


def _style(style: Style, chosen: str) -> TileView:
    return TileView(str(style.id), style.name, _preview(style), checked=str(style.id) == chosen)


def _preview(style: Style) -> str | None:
    """None also where an operator named a file that is not there: a tile's picture is no reason to fail."""
    try:
        return static(style.preview) if style.preview else None
    except ValueError:
        return None


def _character(character: Character, chosen: str) -> TileView:
    first = next(iter(character.character_images.all()), None)
    preview = links.sign(first.image_id, "160") if first else None
    return TileView(str(character.id), character.name, preview, checked=str(character.id) == chosen)
