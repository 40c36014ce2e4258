"""A workspace's account of credits."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from editor.models import LIVE, CreditAccount, Job, LedgerCheck, User, Workspace


@dataclass(frozen=True, slots=True)
class Running:
    """Edits that have not ended, and the credits that are held for them."""

    edits: int
    credits: int


def account(workspace: Workspace) -> CreditAccount:
    return CreditAccount.objects.get(workspace=workspace)


def balance(workspace: Workspace) -> int:
    """Credits that the workspace can spend now."""
    return CreditAccount.objects.values_list("balance", flat=True).get(workspace=workspace)


def running(workspace: Workspace, *, user: User | None = None) -> Running:
    """Of the workspace, or of one person."""
    jobs = Job.objects.filter(workspace=workspace, status__in=LIVE)
    jobs = jobs.filter(created_by=user) if user else jobs
    return Running(**jobs.aggregate(edits=Count("pk"), credits=Sum("price", default=0)))


def newest_check(workspace: Workspace) -> LedgerCheck | None:
    """The result of the newest proof of the ledger."""
    return LedgerCheck.objects.filter(account=workspace.pk).first()
