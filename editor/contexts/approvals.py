"""The Approvals page: what waits for an answer, what was decided, and what binds today."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from editor import catalog
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.gallery import who
from editor.contexts.limits import LimitView, limit_view
from editor.contexts.members import HUES
from editor.contexts.money import money
from editor.contexts.pictures import Thumb, thumb
from editor.models import Approval, Job, Membership, User, Workspace
from editor.queries import approvals, limits
from editor.queries.limits import Kind

State = Approval.State

REASONS = ("Too expensive", "Wait for the reset")  # offered for declining
_WORDS = {
    State.GRANTED: "approved it",
    State.DECLINED: "declined it",
    State.LAPSED: "Nobody answered in time",
    State.WITHDRAWN: "Withdrawn by who asked",
}


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    first_name: str
    initials: str
    tint: int


@dataclass(frozen=True, slots=True)
class Card:
    """One edit that waits, or that was decided.

    money       what the price is in money, or ""
    facts       model, number of images, size of the source
    mine        the viewer asked for it, so somebody else has to decide
    declining   the form for the reason is open
    focused     the viewer has just opened it
    cap         what is raised with the approval: "monthly cap", "daily cap", or "" if nothing can be
    raised_to   credits that the cap has then
    outcome     of a decided one: "Amara Okafor approved it"
    """

    id: UUID
    person: Person
    asked_at: datetime
    prompt: str
    price: int
    money: str
    facts: str
    picture: Thumb | None
    limit: LimitView
    message: str
    mine: bool = False
    declining: bool = False
    focused: bool = False
    cap: str = ""
    raised_to: int = 0
    state: str = ""
    outcome: str = ""
    reason: str = ""
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """How much of a limit is spent. `person`: None for the workspace's budget."""

    label: str
    person: Person | None
    used: int
    allowed: int

    @property
    def shown(self) -> int:
        """Of the bar."""
        return min(self.used, self.allowed)


@dataclass(frozen=True, slots=True)
class Approvals:
    """The page. `total`: credits of the cards that wait; `more`: there are cards that are not shown."""

    cards: list[Card]
    waiting: int
    decided: int
    shows_decided: bool
    total: int
    bars: list[Bar]
    may_change_caps: bool
    reasons: tuple[str, ...] = REASONS

    @property
    def total_money(self) -> str:
        return money(self.total)

    @property
    def more(self) -> int:
        return (self.decided if self.shows_decided else self.waiting) - len(self.cards)


def approvals_view(
    actor: Actor, *, decided: bool = False, declining: Collection[str] = (), opened: str = ""
) -> Approvals:
    """`declining`: ids of the cards whose form for a reason is open; `opened`: the newest of them."""
    workspace = actor.workspace
    rows = approvals.newest_decided(workspace) if decided else approvals.newest_waiting(workspace)
    members = approvals.asking(workspace, rows)
    cards = [
        _card(
            actor,
            row,
            declining=str(row.pk) in declining,
            focused=str(row.pk) == opened,
            asking=members.get(row.job.created_by_id),
        )
        for row in rows
    ]
    return Approvals(
        cards=cards,
        waiting=approvals.count_waiting(workspace),
        decided=approvals.count_decided(workspace),
        shows_decided=decided,
        total=0 if decided else sum(card.price for card in cards),
        bars=_bars(workspace),
        may_change_caps=actor.may(Permission.MEMBERS_MANAGE),
    )


def news(actor: Actor, job_id: UUID) -> str:
    """What has happened to an approval, for the pages of other deciders; "" if it waits, or they decided."""
    row = approvals.of_job(actor.workspace, job_id)
    if row is None or row.state == State.WAITING or row.decided_by_id == actor.user.pk:
        return ""
    return f"{who(row.job.created_by)}: “{row.job.prompt[:80]}”. {_outcome(row)}."


def _card(actor: Actor, row: Approval, *, declining: bool, focused: bool, asking: Membership | None) -> Card:
    job = row.job
    source = job.parent if job.parent and not job.parent.trashed_at else None
    cap = row.cap_of(asking) if asking and actor.may(Permission.MEMBERS_MANAGE) else None
    return Card(
        id=row.pk,
        person=_person(job.created_by),
        asked_at=row.requested_at,
        prompt=job.prompt,
        price=row.price,
        money=money(row.price),
        facts=_facts(job),
        picture=thumb(source.pk, width=source.width, height=source.height) if source else None,
        limit=limit_view(actor.workspace, row),
        message=row.message,
        mine=job.created_by_id == actor.user.pk,
        declining=declining,
        focused=focused,
        cap="" if cap is None else _cap_name(row),
        raised_to=(cap or 0) + row.price,
        state=row.state,
        outcome=_outcome(row) if row.decided_at else "",
        reason=row.reason,
        decided_at=row.decided_at,
    )


def _outcome(row: Approval) -> str:
    words = _WORDS[State(row.state)]
    if row.state in (State.GRANTED, State.DECLINED):
        raised = f" and raised the {_cap_name(row)} by {row.raised_by:,}" if row.raised_by else ""
        return f"{who(row.decided_by)} {words}{raised}"
    return words


def _cap_name(row: Approval) -> str:
    return Approval.Limit(row.limit).label.lower()


def _facts(job: Job) -> str:
    model = catalog.catalog().models.get(job.model)
    count = "1 image" if job.samples == 1 else f"{job.samples} variations"
    size = f"{job.parent.width} × {job.parent.height}" if job.parent else ""
    return " · ".join(filter(None, (model.label if model else job.model, count, size)))


def _person(user: User | None) -> Person:
    name = who(user)
    return Person(
        name=name,
        first_name=name.split()[0],
        initials=user.initials if user else "?",
        tint=user.pk.int % HUES + 1 if user else 1,
    )


def _bars(workspace: Workspace) -> list[Bar]:
    month = f"{limits.today(workspace):%B}"
    budget = [
        Bar(f"{workspace.name}, {month}", None, limit.used, limit.allowed)
        for limit in limits.of_workspace(workspace)
        if limit.kind == Kind.WORKSPACE_MONTH
    ]
    caps = [
        Bar(cap.user.display_name, _person(cap.user), cap.used, cap.allowed)
        for cap in approvals.caps(workspace)
    ]
    return [*budget, *caps]
