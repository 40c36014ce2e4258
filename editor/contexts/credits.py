"""The page Credits & usage: its tiles, and the proof of its ledger. Its chart and ledger are next to this."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core import signing
from django.template.defaultfilters import filesizeformat
from django.utils import timezone

from editor import months
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.money import money
from editor.contexts.usage_chart import expected_by_day, seen_by
from editor.models import LedgerCheck
from editor.queries import credits, limits, storage, usage
from editor.queries.proof import Progress

_SALT = "ledger proof"
PROOF_SECONDS = 600  # until a proof that was not continued is void


@dataclass(frozen=True, slots=True)
class Tiles:
    """Credits, and what they are in money ("" without a price).

    own       figures are the viewer's own, but for the balance, which all share
    budget    credits that may be spent this month; None: no limit
    expected  what will be spent by the end of the month, if it goes on as lately
    days_left  for which the balance lasts; None if hardly anything is spent
    """

    own: bool
    balance: int
    balance_money: str
    days_left: int | None
    held: int
    running: int
    month: str
    spent: int
    budget: int | None
    expected: int
    end: str
    spent_money: str
    edits: int
    each_money: str
    storage_used: str
    storage_allowed: str  # "" for no limit

    @property
    def whole(self) -> int:
        """Credits of the whole bar."""
        return max(self.budget or 1, self.expected, self.spent)

    @property
    def spent_width(self) -> float:
        """Of the bar, which is 200 wide."""
        return round(200 * self.spent / self.whole, 1)

    @property
    def expected_width(self) -> float:
        return round(200 * self.expected / self.whole, 1)

    @property
    def is_over(self) -> bool:
        return self.budget is not None and self.expected > self.budget


@dataclass(frozen=True, slots=True)
class Proof:
    """What the strip says. `token`: how to continue a proof that is under way.

    when  of the newest proof; "" before there is one
    """

    entries: int
    problem: str
    when: str
    at: datetime | None = None
    took: str = ""
    token: str = ""
    checked: int = 0


def tiles(actor: Actor) -> Tiles:
    workspace, today = actor.workspace, limits.today(actor.workspace)
    own = not actor.may(Permission.USAGE_VIEW)
    end = months.last_day(today)
    figures = usage.total(seen_by(actor, months.of(today), end))
    expected = expected_by_day(actor, today=today, until=today + timedelta(days=28))
    balance = credits.balance(workspace)
    running = credits.running(workspace, user=actor.user if own else None)
    used = storage.usage(workspace)
    return Tiles(
        own=own,
        balance=balance,
        balance_money=money(balance),
        days_left=_days_left(balance, sum(expected.values()) / 28),
        held=running.credits,
        running=running.edits,
        month=f"{today:%B}",
        spent=figures.credits,
        budget=actor.membership.monthly_cap if own else workspace.monthly_limit,
        expected=round(figures.credits + sum(number for day, number in expected.items() if day <= end)),
        end=f"{end.day} {end:%b}",
        spent_money=money(figures.credits),
        edits=figures.edits,
        each_money=money(figures.credits / figures.edits) if figures.edits else "",
        storage_used=filesizeformat(used.used),
        storage_allowed="" if used.allowed is None else filesizeformat(used.allowed),
    )


def _days_left(balance: int, a_day: float) -> int | None:
    return None if a_day < 0.5 else min(round(balance / a_day), 999)


def proof(check: LedgerCheck | None) -> Proof:
    """The newest one."""
    if check is None:
        return Proof(entries=0, problem="", when="")
    local = timezone.localtime(check.checked_at)
    day = "today" if local.date() == timezone.localdate() else f"{local.day} {local:%b}"
    return Proof(
        entries=check.entries,
        problem=check.problem,
        when=f"{day} {local:%H:%M}",
        at=check.checked_at,
        took=f"{check.milliseconds / 1000:.1f} s",
    )


def proof_under_way(progress: Progress, *, milliseconds: int) -> Proof:
    token = signing.dumps(progress.as_dict() | {"milliseconds": milliseconds}, salt=_SALT)
    return Proof(entries=progress.total, problem="", when="", token=token, checked=progress.checked)


def read_proof(token: str, actor: Actor) -> tuple[Progress, int] | None:
    """How far it has come, and the milliseconds it took; None if it is not one of this workspace, or void."""
    try:
        found = signing.loads(token, salt=_SALT, max_age=PROOF_SECONDS)
    except signing.BadSignature:
        return None
    milliseconds = found.pop("milliseconds")
    progress = Progress(**found)
    return (progress, milliseconds) if progress.workspace == str(actor.workspace.pk) else None
