"""The Credits page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.urls import reverse

from editor import catalog
from editor.models import LedgerEntry, Workspace
from editor.queries import credits, storage


@dataclass(frozen=True, slots=True)
class LedgerRow:
    at: datetime
    what: str
    who: str
    amount: int
    balance_after: int


@dataclass(frozen=True, slots=True)
class CreditsPage:
    balance: int
    held: int
    spent_30_days: int
    storage_used: str
    storage_allowed: str  # "" for no limit
    rows: list[LedgerRow]
    older_url: str | None


def credits_page(workspace: Workspace, *, before: int | None) -> CreditsPage:
    account = credits.account(workspace)
    used = storage.usage(workspace)
    entries, older = credits.ledger(workspace, before=before)
    url = reverse("credits", args=[workspace.slug])
    return CreditsPage(
        balance=account.balance,
        held=account.held,
        storage_used=filesizeformat(used.used),
        storage_allowed="" if used.allowed is None else filesizeformat(used.allowed),
        spent_30_days=credits.spent(workspace, days=30),
        rows=[_row(entry) for entry in entries],
        older_url=f"{url}?before={older}" if older else None,
    )


def _row(entry: LedgerEntry) -> LedgerRow:
    return LedgerRow(
        at=entry.created_at,
        what=_what(entry),
        who=entry.actor.display_name if entry.actor else "System",
        amount=entry.amount,
        balance_after=entry.balance_after,
    )


def _what(entry: LedgerEntry) -> str:
    if entry.job is None:
        return f"{entry.get_kind_display()}: {entry.note}" if entry.note else entry.get_kind_display()
    model = catalog.catalog().models.get(entry.job.model)
    name = model.label if model else entry.job.model
    prompt = entry.job.prompt if len(entry.job.prompt) <= 60 else entry.job.prompt[:59] + "…"
    if entry.kind == LedgerEntry.Kind.RELEASE:
        return f"Refund, edit {entry.job.status}: “{prompt}”"
    return f"{entry.get_kind_display()}, {name}: “{prompt}”"
