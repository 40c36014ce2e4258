"""Monthly credits of a plan, given once a month, and the end of those that were not spent.

A month is that of the workspace's time zone. Monthly credits are spent first: what is left of them is what
was given less what the workspace's edits were charged or hold since the month began. Edits in the minute
before a new month's credits come, and those that run while they come, count for both months. Monthly
credits that such an edit returns belong to the new month: holding them over midnight does not make them stay.

`CreditAccount.allowance_period` is the month in which they count, and moves only forward: a clock that goes
back gives nothing, and months that passed while the portal was off are skipped. A ledger entry names the
month for which it gives credits, and is unique.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from datetime import date
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Sum

from editor import months
from editor.models import LIVE, CreditAccount, DailyUsage, Job, LedgerEntry, Plan, Rollover, Workspace
from editor.operations import credits
from editor.queries.limits import today

log = logging.getLogger("editor.credits")

AT_ONCE = 200  # workspaces


def renew_due() -> int:
    """Begin the month in workspaces where it has begun, some at a time; returns in how many.

    Each has a transaction of its own: one that fails is logged, and delays no others.
    """
    count = 0
    for workspace_id in list(_due().values_list("pk", flat=True)[:AT_ONCE]):
        try:
            count += renew(workspace_id=workspace_id)
        except Exception:
            log.exception("the month of workspace %s could not begin", workspace_id)
    return count


@transaction.atomic
def renew(*, workspace_id: UUID) -> bool:
    """Begin the current month in this workspace, if it has not begun; returns whether anything changed.

    Called when a month begins, when a workspace is created, and when its plan changes: a plan with monthly
    credits gives them at once, unless another plan gave some for this month.
    """
    account = credits.lock_account(workspace_id=workspace_id)
    workspace = Workspace.objects.select_related("plan").get(pk=workspace_id)
    month = months.of(today(workspace))
    if workspace.deleted_at or (account.allowance_period and month < account.allowance_period):
        return False
    begins = account.allowance_period != month
    gives = 0 if _given(account, since=month) else workspace.plan.monthly_credits
    if not gives and not (begins and account.allowance):
        return False
    left = remaining(account) if begins else 0
    held = _remaining(account, unheld=True) - left if begins and gives else 0
    stays = _staying(workspace.plan, left) if begins else account.allowance
    account.allowance, account.allowance_period = stays + held + gives, month
    account.save(update_fields=["allowance", "allowance_period"])
    expires = min(left - stays, account.balance) if begins else 0
    credits.begin_month(account=account, month=month, expires=expires, gives=gives)
    return True


def remaining(account: CreditAccount) -> int:
    """What is left of the account's monthly credits. To rely on it, lock the account."""
    return _remaining(account)


def _remaining(account: CreditAccount, *, unheld: bool = False) -> int:
    """`unheld`: as if all that is held came back now."""
    since = account.allowance_period
    if not account.allowance or not since:
        return 0
    entries = _entries(account)
    runs_on = bool(entries and entries[0].held_after)
    usage = DailyUsage.objects.filter(account=account, day__gte=since)
    used: int = usage.aggregate(total=Sum("credits", default=0))["total"]
    used += _charged_late(account, entries[0]) if runs_on else 0
    most = account.balance - (_others(account, entries[-1]) if entries else 0)
    if unheld:
        most += account.held
    else:
        used += _held(account, also_late=runs_on)
    return max(0, min(account.allowance - used, most))


def _entries(account: CreditAccount) -> list[LedgerEntry]:
    """Those with which the month began, oldest first."""
    kinds = [LedgerEntry.Kind.ALLOWANCE, LedgerEntry.Kind.EXPIRE]
    entries = LedgerEntry.objects.filter(account=account, kind__in=kinds, period=account.allowance_period)
    return list(entries.order_by("id"))


def _held(account: CreditAccount, *, also_late: bool) -> int:
    """By edits of this month; `also_late`: and by those that were running when it began."""
    live = Job.objects.filter(workspace=account.pk, status__in=LIVE)
    if not also_late:
        live = live.filter(spent_on__gte=account.allowance_period)
    held: int = live.aggregate(total=Sum("price", default=0))["total"]
    return held


def _charged_late(account: CreditAccount, first: LedgerEntry) -> int:
    """What edits of earlier months were charged in this one."""
    settled = LedgerEntry.objects.filter(
        account=account,
        kind=LedgerEntry.Kind.SETTLE,
        id__gt=first.pk,
        job__spent_on__lt=account.allowance_period,
    )
    charged: int = settled.aggregate(total=Sum(-F("held_amount") - F("amount"), default=0))["total"]
    return charged


def _others(account: CreditAccount, entry: LedgerEntry) -> int:
    """The least that the account must have of credits that are not monthly, or less.

    It does not depend on the clock: if that went back after the month began, edits have earlier days and seem
    to have spent nothing. They must not make granted credits expire in place of the monthly ones.
    """
    kinds = LedgerEntry.Kind
    later = LedgerEntry.objects.filter(account=account, id__gt=entry.pk).filter(
        kind__in=[kinds.GRANT, kinds.ADJUST, kinds.TRANSFER]
    )
    added: int = later.aggregate(total=Sum("amount", default=0))["total"]
    return entry.balance_after - account.allowance + added


def _staying(plan: Plan, left: int) -> int:
    """How many of the credits that are left are kept."""
    if plan.rollover == Rollover.ALL:
        return left
    return min(left, plan.rollover_limit) if plan.rollover == Rollover.UP_TO else 0


def _given(account: CreditAccount, *, since: date) -> bool:
    entries = LedgerEntry.objects.filter(account=account, kind=LedgerEntry.Kind.ALLOWANCE)
    return entries.filter(period__gte=since).exists()


def _due() -> QuerySet[Workspace]:
    """Workspaces in which the month has not begun, and that have monthly credits or will get some."""
    due = Q()
    for month, zones in _months().items():
        given = LedgerEntry.objects.filter(
            account=OuterRef("pk"), kind=LedgerEntry.Kind.ALLOWANCE, period__gte=month
        )
        gets = Q(plan__monthly_credits__gt=0) & ~Q(Exists(given))
        ends = Q(credit_account__allowance__gt=0, credit_account__allowance_period__lt=month)
        not_ahead = Q(credit_account__allowance_period=None) | Q(credit_account__allowance_period__lte=month)
        due |= Q(time_zone__in=zones) & not_ahead & (gets | ends)
    return Workspace.objects.filter(due, deleted_at=None).order_by("pk")


def _months() -> dict[date, list[str]]:
    """The months that it is now somewhere, each with the time zones of workspaces in which it is."""
    found: dict[date, list[str]] = defaultdict(list)
    for zone in Workspace.objects.order_by("time_zone").values_list("time_zone", flat=True).distinct():
        found[months.of(today(Workspace(time_zone=zone)))].append(zone)
    return found
