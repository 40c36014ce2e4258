"""Workspaces and people as operators see them, and the ledger of all."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from editor.access import second_factor
from editor.contexts import ledger_words
from editor.contexts.operator.sparklines import Sparkline, sparkline
from editor.models import LedgerEntry, User, Workspace
from editor.queries.operator import workspaces
from editor.queries.operator.workspaces import DAYS, PAGE

WARNED = 7  # days in which the balance runs out


@dataclass(frozen=True, slots=True)
class WorkspaceRow:
    """One workspace.

    spent   credits of the last 30 days
    badge   (state, text)
    is_low  the balance runs out soon
    """

    id: UUID
    name: str
    slug: str
    initials: str
    people: int
    plan: str
    balance: int
    held: int
    spent: int
    spark: Sparkline
    badge: tuple[str, str]
    is_low: bool


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    rows: list[WorkspaceRow]
    words: str
    number: int
    more: bool


@dataclass(frozen=True, slots=True)
class LedgerRow:
    at: datetime
    workspace: str
    workspace_id: UUID
    what: str
    note: str
    who: str
    amount: int
    held: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class LedgerPage:
    rows: list[LedgerRow]
    older: int | None
    balance: int
    held: int


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person. `places`: the names of their workspaces, with the role."""

    id: UUID
    name: str
    email: str
    initials: str
    places: list[str]
    sessions: int
    has_factor: bool
    is_active: bool
    is_operator: bool
    is_you: bool
    last_login: datetime | None


@dataclass(frozen=True, slots=True)
class PeoplePage:
    rows: list[PersonRow]
    words: str
    number: int
    more: bool


def workspaces_page(*, words: str, number: int) -> WorkspacesPage:
    found = workspaces.page(words=words, number=number)
    return WorkspacesPage(
        rows=workspace_rows(found[:PAGE]), words=words, number=number, more=len(found) > PAGE
    )


def workspace_rows(found: Sequence[Workspace]) -> list[WorkspaceRow]:
    spent = workspaces.spent([row.pk for row in found], today=workspaces.today())
    return [workspace_row(row, spent.get(row.pk, [0] * DAYS), people=row.people) for row in found]  # type: ignore[attr-defined]


def ledger_page(*, workspace: Workspace | None, before: int | None) -> LedgerPage:
    found, totals = workspaces.ledger(workspace=workspace, before=before), workspaces.totals()
    return LedgerPage(
        rows=[ledger_row(row) for row in found[:PAGE]],
        older=found[PAGE - 1].pk if len(found) > PAGE else None,
        balance=totals["balance"],
        held=totals["held"],
    )


def people_page(*, words: str, number: int, viewer: User) -> PeoplePage:
    found = workspaces.people(words=words, number=number)
    shown = found[:PAGE]
    having = second_factor.people_with_one([user.pk for user in shown])
    rows = [_person(user, has_factor=user.pk in having, viewer=viewer) for user in shown]
    return PeoplePage(rows=rows, words=words, number=number, more=len(found) > PAGE)


def days_left(balance: int, spent: int) -> float:
    """Days until the balance is used up, at the rate of the last 30 days."""
    return balance * DAYS / spent if spent else math.inf


def spent_lately(workspace: Workspace) -> int:
    """Credits of the last 30 days."""
    return sum(workspaces.spent([workspace.pk], today=workspaces.today()).get(workspace.pk, []))


def runs_out(balance: int, spent: int) -> str:
    """How long the balance lasts, in a sentence; "" if nothing was spent in the last 30 days."""
    if not spent:
        return ""
    days, a_day = math.floor(days_left(balance, spent)), round(spent / DAYS)
    lasts = "less than a day" if days < 1 else f"{days:,} day{'' if days == 1 else 's'}"
    return f"{balance:,} credits are left. At {a_day:,} a day they last {lasts}."


def workspace_row(row: Workspace, spent: list[int], *, people: int) -> WorkspaceRow:
    """`spent`: on each of the last 30 days."""
    account, total = row.credit_account, sum(spent)
    left = days_left(account.balance, total)
    return WorkspaceRow(
        id=row.pk,
        name=row.name,
        slug=row.slug,
        initials="".join(word[0] for word in row.name.split() if word[0].isalnum())[:2].upper() or "?",
        people=people,
        plan=row.plan.name,
        balance=account.balance,
        held=account.held,
        spent=total,
        spark=sparkline(spent),
        badge=_badge(row, left),
        is_low=left <= WARNED,
    )


def _badge(row: Workspace, left: float) -> tuple[str, str]:
    if row.deleted_at:
        return "disabled", "Deleted"
    if row.suspended_at:
        return "bad", "Suspended"
    if not row.credit_account.balance and left < math.inf:
        return "bad", "Empty"
    if left <= 1:
        return "problem", "Empty in a day"
    if left <= WARNED:
        return "problem", f"Empty in {math.ceil(left)} days"
    return "", "All well"


def ledger_row(row: LedgerEntry) -> LedgerRow:
    return LedgerRow(
        at=row.created_at,
        workspace=row.account.workspace.name,
        workspace_id=row.account.workspace_id,
        what=ledger_words.KINDS[LedgerEntry.Kind(row.kind)],
        note=row.note or (row.job.model.rpartition("/")[2] if row.job else ""),
        who=row.actor.display_name if row.actor else "System",
        amount=row.amount,
        held=row.held_amount,
        balance_after=row.balance_after,
    )


def _person(user: User, *, has_factor: bool, viewer: User) -> PersonRow:
    places = user.places  # type: ignore[attr-defined]
    return PersonRow(
        id=user.pk,
        name=user.display_name,
        email=user.email,
        initials=user.initials,
        places=[f"{one.workspace.name} ({one.get_role_display().lower()})" for one in places],
        sessions=user.open_sessions,  # type: ignore[attr-defined]
        has_factor=has_factor,
        is_active=user.is_active,
        is_operator=user.is_superuser,
        is_you=user.pk == viewer.pk,
        last_login=user.last_login,
    )
