"""One workspace as operators see it: figures, monthly credits, limits, people, own prices, newest entries."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat

from editor import catalog
from editor.contexts.operator.workspaces import LedgerRow, WorkspaceRow, ledger_row, workspace_row
from editor.models import ModelSetting, Workspace
from editor.operations import allowances
from editor.queries import limits, members, storage
from editor.queries.operator import workspaces
from editor.queries.operator.workspaces import DAYS

ENTRIES = 10
PEOPLE = 10


@dataclass(frozen=True, slots=True)
class PriceRow:
    """A price of one image for one workspace."""

    model: str
    label: str
    credits: int
    usual: int


@dataclass(frozen=True, slots=True)
class Member:
    name: str
    email: str
    initials: str
    role: str


@dataclass(frozen=True, slots=True)
class WorkspacePage:
    """Everything about one workspace that an operator decides about.

    monthly       credits that its plan gives a month; monthly_left: what is left of those that it got
    limits        the name of each, and how much of it is used
    people        the first of its members; others: how many more there are
    """

    row: WorkspaceRow
    monthly: int
    monthly_left: int
    limits: list[tuple[str, str]]
    people: list[Member]
    others: int
    created_at: datetime
    suspended_at: datetime | None
    suspended_reason: str
    deleted_at: datetime | None
    prices: list[PriceRow]
    ledger: list[LedgerRow]


def workspace_page(workspace: Workspace) -> WorkspacePage:
    spent = workspaces.spent([workspace.pk], today=workspaces.today())
    found = members.page(workspace, size=PEOPLE, with_spent=False)
    return WorkspacePage(
        row=workspace_row(workspace, spent.get(workspace.pk, [0] * DAYS), people=found.total),
        monthly=workspace.plan.monthly_credits,
        monthly_left=allowances.remaining(workspace.credit_account),
        limits=list(_limits(workspace)),
        people=[
            Member(one.user.display_name, one.user.email, one.user.initials, one.get_role_display())
            for one in found.members
        ],
        others=found.total - len(found.members),
        created_at=workspace.created_at,
        suspended_at=workspace.suspended_at,
        suspended_reason=workspace.suspended_reason,
        deleted_at=workspace.deleted_at,
        prices=[_price(row) for row in workspaces.model_settings(workspace) if row.credits is not None],
        ledger=[ledger_row(row) for row in workspaces.ledger(workspace=workspace)[:ENTRIES]],
    )


def _limits(workspace: Workspace) -> Iterator[tuple[str, str]]:
    """First those that the workspace has set itself."""
    for limit in limits.of_workspace(workspace):
        yield f"Credits {limit.period}", f"{limit.used:,} of {limit.allowed:,} used"
    if workspace.approval_threshold is not None:
        yield "Edits without an approval", f"up to {workspace.approval_threshold:,} credits"
    plan, used = workspace.plan, storage.usage(workspace)
    allowed = "" if used.allowed is None else f" of {filesizeformat(used.allowed)}"
    yield "Storage", f"{filesizeformat(used.used)}{allowed} used"
    seats = "" if plan.seats is None else f" of {plan.seats:,}"
    yield "Seats", f"{members.seats_used(workspace):,}{seats} used"
    yield "Edits at a time", f"{plan.concurrent_jobs:,}"
    yield "API requests a minute", f"{plan.requests_per_minute:,}"
    yield "Own provider keys", "allowed" if plan.own_keys else "not allowed"


def _price(setting: ModelSetting) -> PriceRow:
    model = catalog.catalog().models.get(setting.model)
    return PriceRow(
        model=setting.model,
        label=model.label if model else setting.model,
        credits=setting.credits or 0,
        usual=model.credits if model else 0,
    )
