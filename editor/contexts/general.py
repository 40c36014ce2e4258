"""The General page of a workspace's settings, and the page that confirms its deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.template.defaultfilters import pluralize
from django.utils import timezone

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import Sharing, Workspace
from editor.models.workspaces import RESTORABLE
from editor.operations.workspace_settings import time_zones
from editor.queries import members, pricing, workspaces
from editor.queries.workspaces import Progress

LIMITS = ("monthly_limit", "daily_limit", "approval_threshold", "time_zone")
SHARING_HINTS = {
    Sharing.EDITORS: "Links expire, and can be revoked.",
    Sharing.MANAGERS: "Links that others have created work until they expire.",
    Sharing.NOBODY: "Existing links stop working too, until this changes.",
}


@dataclass(frozen=True, slots=True)
class ModelGroup:
    """Choices of the default model: (value, label)."""

    label: str
    models: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class ZoneGroup:
    """Time zones of a continent: (IANA name, the city in words)."""

    label: str
    zones: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class SharingChoice:
    value: str
    label: str
    hint: str
    checked: bool


@dataclass(frozen=True, slots=True)
class General:
    """What the member may see and change.

    progress   what is left of the first steps; None if nothing is, or for those who cannot do it
    limits     values of the form of limits
    stays      why the member cannot leave; "" if they can
    """

    name: str
    address: str
    picture_name: str
    groups: list[ModelGroup]
    default_model: str
    trash_days: int
    sharing: list[SharingChoice]
    second_factor_required: bool
    limits: dict[str, Any]
    zones: list[ZoneGroup]
    may_manage: bool
    may_own: bool
    stays: str
    progress: Progress | None


def general_page(actor: Actor) -> General:
    workspace, may_manage = actor.workspace, actor.may(Permission.WORKSPACE_MANAGE)
    progress = workspaces.progress(workspace) if may_manage else None
    return General(
        name=workspace.name,
        address=workspace.slug,
        picture_name=workspace.picture_name,
        groups=_model_groups(workspace) if may_manage else [],
        default_model=workspace.default_model,
        trash_days=workspace.trash_days,
        sharing=[
            SharingChoice(one.value, one.label, SHARING_HINTS[one], one == workspace.public_sharing)
            for one in Sharing
        ],
        second_factor_required=workspace.second_factor_required,
        limits={name: getattr(workspace, name) for name in LIMITS},
        zones=_zones() if may_manage else [],
        may_manage=may_manage,
        may_own=actor.may(Permission.WORKSPACE_OWN),
        stays=_stays(actor),
        progress=None if progress is None or progress.is_done else progress,
    )


def _zones() -> list[ZoneGroup]:
    groups: dict[str, list[tuple[str, str]]] = {}
    for name in time_zones():
        continent, _, city = name.rpartition("/") if name.count("/") < 2 else name.partition("/")
        groups.setdefault(continent, []).append((name, city.replace("_", " ")))
    return [ZoneGroup(continent, zones) for continent, zones in groups.items()]


def _stays(actor: Actor) -> str:
    if not actor.may(Permission.WORKSPACE_OWN) or members.owners(actor.workspace) > 1:
        return ""
    return "You are its only owner. Make another member its owner first, or delete the workspace."


def _model_groups(workspace: Workspace) -> list[ModelGroup]:
    """What is offered with the portal's keys, and the current value even if it is not offered any more."""
    offer, entries = pricing.offer(workspace=workspace), catalog.catalog()
    usual = entries.tiers[entries.default_tier].label
    tiers = [(tier.id, tier.label) for tier in entries.tiers.values() if offer.tiers[tier.id]]
    models = [(model.id, model.label) for model in entries.models.values() if offer.models[model.id]]
    groups = [
        ModelGroup("", [("", f"The portal's ({usual})")]),
        ModelGroup("Quality", tiers),
        ModelGroup("Models", models),
    ]
    offered = {value for group in groups for value, _ in group.models}
    if workspace.default_model not in offered:
        current = (workspace.default_model, f"{workspace.default_model} (not available now)")
        groups.append(ModelGroup("Current", [current]))
    return groups


@dataclass(frozen=True, slots=True)
class Loss:
    """One line of what a deletion takes: a number and what it counts."""

    count: int
    what: str


@dataclass(frozen=True, slots=True)
class Deletion:
    name: str
    losses: list[Loss]
    running: int
    until: datetime
    days: int


def deletion_page(actor: Actor) -> Deletion:
    found = workspaces.contents(actor.workspace)
    counted = [
        (found.images, "image"),
        (found.edits, "edit"),
        (found.members, "member"),
        (found.api_keys, "API key"),
        (found.provider_keys, "provider key"),
        (found.links, "public link"),
        (found.credits, "credit"),
    ]
    return Deletion(
        name=actor.workspace.name,
        losses=[Loss(count, f"{what}{pluralize(count)}") for count, what in counted],
        running=found.running,
        until=timezone.now() + RESTORABLE,
        days=RESTORABLE.days,
    )
