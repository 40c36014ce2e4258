"""What the Credits page shows."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q, Sum
from django.utils import timezone

from editor.access.actor import Actor
from editor.models import LIVE, CreditAccount, Job, LedgerEntry, Status, Workspace

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


def used_this_month(actor: Actor) -> int:
    """Credits that the member has spent or that are held for them, since the start of the month (UTC)."""
    own = Job.objects.filter(workspace=actor.workspace, created_by=actor.user, created_at__gte=month_start())
    sums = own.aggregate(
        held=Sum("price", filter=Q(status__in=LIVE), default=0), charged=Sum("charged", default=0)
    )
    return int(sums["held"] + sums["charged"])


def month_start() -> datetime:
    """When the current month began (UTC)."""
    return timezone.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def cap_left(actor: Actor) -> int | None:
    """Credits that the member's monthly cap still allows; None without a cap."""
    cap = actor.membership.monthly_cap
    return None if cap is None else max(0, cap - used_this_month(actor))


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
