"""Limits of credits in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import humanize
from django.utils import timezone

from editor import phrases
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import Approval, User, Workspace
from editor.queries import approvals, limits
from editor.queries.limits import Kind, Limit
from editor.queries.pricing import Choice, Offer, Quote

NAMED = 2  # people in a sentence
OFFERED = 2  # cheaper models


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit that was in the way: "Monthly cap: 300 of 300 spent", "resets on 1 Dec, in 4 days"."""

    text: str
    resets: str
    used: int
    allowed: int


@dataclass(frozen=True, slots=True)
class OverView:
    """The limit that an edit in the composer is over.

    title    one sentence
    facts    what is used, when it resets, who can help
    short    in place of the price
    may_ask  it can run if somebody approves it
    cheaper  models that can make it for less, with the price
    """

    title: str
    facts: list[str]
    short: str
    may_ask: bool
    cheaper: list[CheaperView]


@dataclass(frozen=True, slots=True)
class CheaperView:
    id: str
    label: str
    credits: int


def limit_view(workspace: Workspace, approval: Approval) -> LimitView:
    label = Approval.Limit(approval.limit).label
    resets = reset_text(workspace, limits.resets_at(workspace, approval.limit))
    if approval.limit == Approval.Limit.THRESHOLD:
        text = f"{label}: {approval.price:,} of {phrases.credits(approval.allowed)}"
        return LimitView(text=text, resets=resets, used=approval.allowed, allowed=approval.allowed)
    return LimitView(
        text=f"{label}: {approval.used:,} of {approval.allowed:,} spent",
        resets=resets,
        used=min(approval.used, approval.allowed),
        allowed=approval.allowed,
    )


def over_view(actor: Actor, quote: Quote, *, offer: Callable[[], Offer], images: int) -> OverView | None:
    """`offer`: what else could be chosen; `images`: how many the edit has."""
    limit = quote.over
    if limit is None:
        return None
    people = approvals.deciders(actor.workspace, but=actor.user)
    may_ask = limit.lifted_by_approval and bool(people)
    left = (
        f"{limit.remaining:,} left of your cap" if limit.lifted_by_approval else f"{limit.remaining:,} left"
    )
    cost = phrases.credits(quote.credits)
    return OverView(
        title=_title(actor.workspace, limit, cost),
        facts=[
            *([] if limit.resets_at is None else [f"{limit.used:,} of {limit.allowed:,}"]),
            reset_text(actor.workspace, limit.resets_at),
            _who(people, limit, actor),
        ],
        short=f"{cost}, {left}" if limit.resets_at else cost,
        may_ask=may_ask,
        cheaper=_cheaper(offer(), limit, samples=quote.samples, images=images),
    )


def reset_text(workspace: Workspace, moment: datetime | None) -> str:
    """As in "resets on 1 Dec, in 4 days", in the workspace's time zone."""
    if moment is None:
        return "does not reset"
    local, left = moment.astimezone(ZoneInfo(workspace.time_zone)), moment - timezone.now()
    return f"resets on {local.day} {local:%b}, in {humanize.naturaldelta(left)}"


def _title(workspace: Workspace, limit: Limit, cost: str) -> str:
    month = f"{limits.today(workspace):%B}"
    if limit.kind == Kind.THRESHOLD:
        return f"This costs {cost}, and an edit over {limit.allowed:,} needs an approval."
    what = {
        Kind.MEMBER_MONTH: f"your {month} cap",
        Kind.MEMBER_DAY: "your cap of today",
        Kind.KEY_MONTH: f"the {month} limit of the key",
        Kind.KEY_DAY: "the key's limit of today",
        Kind.WORKSPACE_MONTH: f"the workspace’s {month} budget",
        Kind.WORKSPACE_DAY: "the workspace’s budget of today",
    }[limit.kind]
    if limit.remaining == 0:
        return f"This needs {cost}, and {what} is spent."
    left = f"{phrases.credits(limit.remaining)} of {what} {'is' if limit.remaining == 1 else 'are'} left"
    return f"This needs {cost}, and {left}."


def _who(people: list[User], limit: Limit, actor: Actor) -> str:
    """As in "Amara or Jonas can let it run"."""
    if not limit.lifted_by_approval and actor.may(Permission.WORKSPACE_MANAGE):
        return "you can change it in the settings"
    names = [user.display_name for user in people[:NAMED]]
    if len(people) > NAMED:
        names = [names[0], "another admin"]
    if names:
        return f"{' or '.join(names)} {'can let it run' if limit.lifted_by_approval else 'can raise it'}"
    return (
        "you can change it in the settings"
        if actor.may(Permission.MEMBERS_MANAGE)
        else "nobody else can help"
    )


def _cheaper(offer: Offer, limit: Limit, *, samples: int, images: int) -> list[CheaperView]:
    """The dearest that fit the limit, as they are the nearest to what was chosen."""
    found = [
        _priced(choice, samples)
        for choice in offer.models.values()
        if choice and not choice.refusal and _takes(choice, images)
    ]
    fitting = [view for view in found if view.credits <= limit.remaining]
    return sorted(fitting, key=lambda view: -view.credits)[:OFFERED]


def _takes(choice: Choice, images: int) -> bool:
    model = choice.model
    return not model.mask_required and model.minimum_images <= images <= model.maximum_images


def _priced(choice: Choice, samples: int) -> CheaperView:
    credits = choice.credits * min(samples, choice.model.maximum_samples)
    return CheaperView(id=choice.model.id, label=choice.model.label, credits=credits)
