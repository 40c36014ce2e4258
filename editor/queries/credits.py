"""What the Credits page shows."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Sum
from django.utils import timezone

from editor.models import CreditAccount, Job, LedgerEntry, Status, Workspace

PAGE = 50


def balance(workspace: Workspace) -> int:
    """Credits that the workspace can spend now."""
    return CreditAccount.objects.values_list("balance", flat=True).get(workspace=workspace)


def account(workspace: Workspace) -> CreditAccount:
    return CreditAccount.objects.get(workspace=workspace)


def spent(workspace: Workspace, *, days: int) -> int:
    """Credits settled for completed edits in the last `days` days."""
    since = timezone.now() - timedelta(days=days)
    jobs = Job.objects.filter(workspace=workspace, status=Status.COMPLETED, finished_at__gte=since)
    return jobs.aggregate(total=Sum("charged"))["total"] or 0


def ledger(workspace: Workspace, *, before: int | None = None) -> tuple[list[LedgerEntry], int | None]:
    """A page of entries, newest first, and the `before` of the next page, if there is one.

    A settlement that returns nothing is left out: the balance has changed when the edit started.
    """
    entries = LedgerEntry.objects.filter(account_id=workspace.pk).select_related("job", "actor")
    entries = entries.exclude(kind=LedgerEntry.Kind.SETTLE, amount=0)
    if before is not None:
        entries = entries.filter(id__lt=before)
    page = list(entries.order_by("-id")[: PAGE + 1])
    older = page[PAGE - 1].pk if len(page) > PAGE else None
    return page[:PAGE], older
