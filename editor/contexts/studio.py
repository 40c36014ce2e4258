"""The Studio page and its fragments."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.forms import BaseForm
from django.templatetags.static import static
from django.urls import reverse

from editor.access.actor import VIEW_ONLY, Actor
from editor.access.permissions import Permission
from editor.contexts.jobs import Failure, JobView, failure, job_view
from editor.contexts.limits import OverView, over_view
from editor.contexts.model_choice import (
    AlphaNote,
    ModelView,
    ProviderView,
    TierView,
    alpha_note,
    cheapest,
    model_view,
    model_views,
    provider_views,
    tier_views,
)
from editor.contexts.pictures import Thumb, thumb
from editor.contexts.rail import Rail, rail_view
from editor.contexts.versions import (
    StageView,
    shown_sources,
    stage_view,
    version_view,
)
from editor.models import Character, Image, Style, Workspace
from editor.operations.images import SAMPLES
from editor.operations.limit_words import suspension
from editor.queries import pricing, studio
from editor.queries.pricing import Choice, Quote
from editor.queries.studio import Version
from editor.queries.usage_rules import Rules


@dataclass(frozen=True, slots=True)
class TileView:
    """A style or a character, with a file as its preview, or an image."""

    id: str
    name: str
    checked: bool
    preview_url: str | None = None
    picture: Thumb | None = None


@dataclass(frozen=True, slots=True)
class RecentView:
    """An upload without an edit."""

    name: str
    url: str
    picture: Thumb


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
    alpha_note: AlphaNote | None
    form: BaseForm
    styles: list[TileView]
    characters: list[TileView]
    quote: Quote
    over: OverView | None
    quote_id: str  # of its price; "" where the composer requests one
    ideas: list[IdeaView]
    samples: list[SampleView]
    recent: list[RecentView]
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
    rules: Rules,
    quote: Quote,
    quote_id: str = "",
    inputs: Mapping[str, object],
    match_format: bool,
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
    offer = pricing.offer(workspace=workspace, provider=choice.provider, rules=rules)
    models = model_views(offer, choice)
    return Studio(
        workspace=workspace,
        stage=_stage(actor, current, tree=tree, compared_id=compared_id) if current else None,
        rail=rail_view(workspace, tree, current),
        jobs=[job_view(workspace, job) for job in studio.live_jobs(workspace, actor.user)],
        providers=provider_views(workspace, choice),
        tiers=tier_views(offer, choice),
        models=models,
        mask_models=cheapest(models, lambda model: model.takes_mask),
        model=model_view(choice, choice),
        alpha_note=alpha_note(
            image=current,
            choice=choice,
            inputs=inputs,
            match_format=match_format,
            models=lambda: models,
        ),
        form=form,
        styles=[_style(style, style_id) for style in studio.styles(workspace)],
        characters=[_character(character, character_id) for character in studio.characters(workspace)],
        quote=quote,
        over=over_view(actor, quote, offer=lambda: offer, images=1 if current else 0),
        quote_id=quote_id,
        ideas=[IdeaView(idea.label, idea.prompt) for idea in choice.model.ideas],
        recent=[] if current or not actor.may(Permission.EDIT) else _recent(actor),
        samples=_samples() if actor.may(Permission.EDIT) else [],
        idempotency_key=new_idempotency_key(),
        draft_key=f"{actor.user.pk} {workspace.pk}",
        view_only=_view_only(actor),
        failure=failure(failed) if (failed := studio.newest_if_failed(workspace, actor.user)) else None,
        prompt=prompt,
        error=error,
    )


def _view_only(actor: Actor) -> str:
    if not actor.may(Permission.EDIT):
        return VIEW_ONLY
    return suspension(actor.workspace) if actor.workspace.suspended_at else ""


def _samples() -> list[SampleView]:
    return [SampleView(name, label, f"samples/{name}-thumb.webp") for name, label in SAMPLES.items()]


def _recent(actor: Actor) -> list[RecentView]:
    workspace = actor.workspace
    return [
        RecentView(
            name=image.original_name or "Uploaded image",
            url=reverse("studio_version", args=[workspace.slug, image.pk]),
            picture=thumb(image.pk, width=image.width, height=image.height),
        )
        for image in studio.unused_uploads(workspace, actor.user)
    ]


def prompt_history(actor: Actor) -> list[str]:
    """The user's newest prompts in this workspace, without duplicates."""
    return studio.prompts(actor.workspace, actor.user)


def _stage(actor: Actor, current: Image, *, tree: Sequence[Version], compared_id: str) -> StageView:
    workspace = actor.workspace
    sources = shown_sources(tree)
    source = sources.get(current.pk)
    compared = next((image for image in sources if str(image) == compared_id != str(current.pk)), None)
    samples = [one.id for one in tree if one.id in sources and one.job_id == current.job_id is not None]
    images = studio.versions({current.pk, *samples, *filter(None, (source, compared))})
    views = {image_id: version_view(workspace, image) for image_id, image in images.items()}
    return stage_view(
        workspace,
        views[current.pk],
        source=views[source] if source else None,
        compared=views[compared] if compared else None,
        samples=[views[image_id] for image_id in samples],
        starred=studio.is_starred(current, actor.user),
    )


def _style(style: Style, chosen: str) -> TileView:
    return TileView(str(style.id), style.name, checked=str(style.id) == chosen, preview_url=_preview(style))


def _preview(style: Style) -> str | None:
    """None also if the operator named a missing file: a tile's preview is no reason to fail."""
    try:
        return static(style.preview) if style.preview else None
    except ValueError:
        return None


def _character(character: Character, chosen: str) -> TileView:
    images = [one.image for one in character.character_images.all() if one.image.trashed_at is None]
    picture = thumb(images[0].pk, width=images[0].width, height=images[0].height) if images else None
    return TileView(str(character.id), character.name, checked=str(character.id) == chosen, picture=picture)
