"""One edit in full: its image, how it was made, and its neighbours in the gallery."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.template.defaultfilters import filesizeformat

from editor import catalog, phrases
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.catalog import seeds
from editor.catalog.types import Input, Value
from editor.contexts import gallery as lists
from editor.contexts import ledger_words
from editor.contexts.ledger import Entry, entry_lines
from editor.contexts.rail import thumbs
from editor.contexts.studio import new_idempotency_key
from editor.contexts.versions import VersionView, same_shape, version_view
from editor.models import Character, Image, Job, JobImage, Status, Style
from editor.providers import registry
from editor.providers.base import ProviderError
from editor.queries import gallery, ledger, studio
from editor.queries.gallery import Filter


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of the recipe."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Lightbox:
    """One edit. `image` and `before` are None if there is nothing to show; `state` says why."""

    id: UUID
    job_id: UUID
    who: str
    initials: str
    at: datetime
    prompt: str
    sent_prompt: str
    image: VersionView | None
    before: VersionView | None
    beside: bool  # the two have different shapes
    state: str
    error: str
    starred: bool
    may_edit: bool
    has_seed: bool
    facts: list[Fact]
    quoted: str
    entries: list[Entry]
    unheld: str  # why there are no entries
    versions: list[VersionView]
    newer_url: str | None
    older_url: str | None
    list_url: str
    idempotency_key: str


def image_lightbox(actor: Actor, image: Image, filter: Filter) -> Lightbox:
    """`image` as loaded by `queries.gallery.result`."""
    assert image.job is not None
    tree = [version for version in studio.edit_tree(image) if not version.trashed_at]
    return _lightbox(
        actor,
        image.job,
        filter,
        row=image,
        before=_shown(image.parent),
        starred=image.pk in gallery.starred(actor.user, [image]),
        versions=thumbs(actor.workspace, tree, image) if len(tree) > 1 else [],
    )


def edit_lightbox(actor: Actor, job: Job, filter: Filter) -> Lightbox:
    """`job`, without a result, as loaded by `queries.gallery.edit`."""
    return _lightbox(actor, job, filter, row=job, before=_shown(job.parent))


def _shown(image: Image | None) -> Image | None:
    return image if image and not image.trashed_at else None


def _lightbox(
    actor: Actor,
    job: Job,
    filter: Filter,
    *,
    row: Image | Job,
    before: Image | None,
    starred: bool = False,
    versions: list[VersionView] | None = None,
) -> Lightbox:
    workspace = actor.workspace
    image = version_view(workspace, row) if isinstance(row, Image) else None
    source = version_view(workspace, before) if before else None
    newer_url, older_url = lists.neighbours(actor, filter, row)
    return Lightbox(
        id=row.pk,
        job_id=job.pk,
        who=lists.who(row.created_by),
        initials=row.created_by.initials if row.created_by else "?",
        at=row.created_at,
        prompt=job.prompt,
        sent_prompt=job.sent_prompt if job.sent_prompt != job.prompt else "",
        image=image,
        before=source,
        beside=bool(image and source and not same_shape(image, source)),
        state="" if image else lists.state_of(job),
        error=job.error,
        starred=starred,
        may_edit=actor.may(Permission.EDIT),
        has_seed=job.known_seed is not None,
        facts=facts(job, row if isinstance(row, Image) else None),
        quoted=_quoted(job),
        entries=entry_lines(ledger.entries_of_job(job), job),
        unheld=ledger_words.unheld(job),
        versions=versions or [],
        newer_url=newer_url,
        older_url=older_url,
        list_url=lists.list_url(workspace, filter),
        idempotency_key=new_idempotency_key(),
    )


def facts(job: Job, image: Image | None) -> list[Fact]:
    """The whole recipe, most wanted first."""
    model = catalog.catalog().models.get(job.model)
    pairs = [
        ("Model", model.label if model else job.model),
        ("Quality", _tier(job.tier)),
        ("Provider", _provider(job)),
        ("Size", _size(image)),
        ("Seed", "" if job.known_seed is None else str(job.known_seed)),
        *_inputs(job, {item.name: item for item in model.options} if model else {}),
        ("Style", _preset(job.style, job.style_version)),
        ("Character", _preset(job.character, job.character_version)),
        ("Reference images", _references(job)),
        ("Mask", "Yes" if _count(job, JobImage.Role.MASK) else ""),
        ("Cost", _cost(job)),
        ("Time in queue", _seconds(job.created_at, job.started_at)),
        ("Processing time", _seconds(job.started_at, job.finished_at)),
        ("Total time", _seconds(job.created_at, job.finished_at)),
        ("Submitted via", job.get_channel_display()),
    ]
    return [Fact(label, value) for label, value in pairs if value]


def _tier(tier: str) -> str:
    known = catalog.catalog().tiers.get(tier)
    return known.label if known else tier


def _provider(job: Job) -> str:
    try:
        label = registry.get(job.provider).label
    except ProviderError:  # it has been removed since
        label = job.provider
    return f"{label}, {'own key' if job.own_key else 'portal'}"


def _size(image: Image | None) -> str:
    if image is None:
        return ""
    kind = image.content_type.removeprefix("image/").upper()
    return f"{image.width} × {image.height} {kind}, {filesizeformat(image.size)}"


def _inputs(job: Job, known: dict[str, Input]) -> list[tuple[str, str]]:
    """(label, value) of each input; inputs no longer in the catalogue keep their name."""
    return [
        (known[name].display_label, _value(known[name], value)) if name in known else (name, str(value))
        for name, value in job.inputs.items()
        if name != seeds.SEED or job.known_seed is None
    ]


def _value(item: Input, value: Value) -> str:
    if value is None:
        return ""
    return next((option.display_label for option in item.options if option.value == value), str(value))


def _preset(preset: Style | Character | None, version: int | None) -> str:
    """The version that was used, with the preset's current name."""
    if version is None:
        return ""
    return f"{preset.name if preset else 'Deleted since'}, version {version}"


def _count(job: Job, role: JobImage.Role) -> int:
    return sum(place.role == role for place in job.job_images.all())


def _references(job: Job) -> str:
    count = _count(job, JobImage.Role.REFERENCE)
    return str(count) if count else ""


def _cost(job: Job) -> str:
    credits = job.charged if job.has_ended else job.price
    cost = phrases.credits(credits)
    if job.status == Status.WAITING:
        return f"{cost} once it is approved"
    if job.is_live:
        return f"{cost} held"
    return cost if job.status == Status.COMPLETED else "Nothing was charged"


def _quoted(job: Job) -> str:
    """The price that was shown before the edit, and held."""
    if job.own_key:
        return "No credits: it runs on the workspace's own key"
    credits = phrases.credits(job.price)
    return f"{credits} for {job.samples} images" if job.samples > 1 else credits


def _seconds(start: datetime | None, end: datetime | None) -> str:
    return f"{(end - start).total_seconds():.1f} s" if start and end else ""
