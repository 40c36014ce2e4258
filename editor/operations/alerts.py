"""What people and programs learn about credits: few are left, a budget or a limit is reached.

Called by `operations/credits.py` under the lock of the account, within the transaction that changes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.db.models import Sum
from django.urls import reverse

from editor import months, phrases
from editor.access import permissions
from editor.access.permissions import Permission
from editor.models import CreditAccount, DailyUsage, Job, Membership
from editor.operations import mails, notices
from editor.operations.webhooks import deliveries
from editor.queries.limits import today

MARKS = (50, 80, 100)  # percent of a month's budget


def balance_changed(*, account: CreditAccount, before: int) -> None:
    """Announce a balance that fell below the workspace's threshold: to people at most once a day."""
    if not account.balance < account.low_balance_threshold <= before:
        return
    deliveries.balance_fell(account=account)
    workspace = account.workspace
    _announce(
        account,
        notice=notices.Kind.CREDITS_LOW,
        mail=mails.Kind.CREDITS_LOW,
        source=f"{workspace.pk} {today(workspace)}",
        text=f"{workspace} has {phrases.credits(account.balance)} left.",
        balance=phrases.credits(account.balance),
    )


def spent(*, account: CreditAccount, job: Job, cost: int) -> None:
    """Announce a budget or a member's limit that an edit, charged `cost`, has reached: once a month."""
    if cost:
        _check_budget(account, months.of(job.spent_on))
        _check_limit(account, job, months.of(job.spent_on))


def _check_budget(account: CreditAccount, month: date) -> None:
    budget = account.workspace.monthly_limit
    if budget is None or (account.budget_month and month < account.budget_month):
        return
    announced = account.budget_percent if account.budget_month == month else 0
    if announced == MARKS[-1]:
        return
    total = _spent_in(account, month)
    percent = max((mark for mark in MARKS if total * 100 >= mark * budget), default=0)
    if percent <= announced:
        return
    account.budget_month, account.budget_percent = month, percent
    account.save(update_fields=["budget_month", "budget_percent"])
    deliveries.budget_reached(account=account, percent=percent, budget=budget, spent=total, month=month)
    _announce(
        account,
        notice=notices.Kind.BUDGET_REACHED,
        mail=mails.Kind.BUDGET_REACHED,
        source=f"{account.pk} {month} {percent}",
        text=f"{account.workspace} has spent {percent} % of its budget for {month:%B}: "
        f"{total:,} of {phrases.credits(budget)}.",
        percent=str(percent),
        spent=f"{total:,}",
        budget=phrases.credits(budget),
        month=f"{month:%B %Y}",
    )


def _check_limit(account: CreditAccount, job: Job, month: date) -> None:
    """The limit of the person who started the edit. Approved edits do not count."""
    if job.approved or job.created_by_id is None:
        return
    rows = Membership.objects.filter(workspace=account.pk, user=job.created_by_id).select_related("user")
    member = rows.exclude(monthly_cap=None).first()
    if member is None or member.monthly_cap is None:
        return
    if _spent_in(account, month, user=job.created_by_id, approved=False) < member.monthly_cap:
        return
    notices.add(
        user=member.user,
        workspace=account.workspace,
        kind=notices.Kind.LIMIT_REACHED,
        source=f"{account.pk} {month}",
        text=f"You have spent your {phrases.credits(member.monthly_cap)} a month in {account.workspace}. "
        f"The limit resets on {months.after(month):%-d %B}.",
        path=reverse("credits", args=[account.workspace.slug]),
    )


def _spent_in(account: CreditAccount, month: date, **only: object) -> int:
    rows = DailyUsage.objects.filter(account=account, day__gte=month, day__lt=months.after(month), **only)
    total: int = rows.aggregate(total=Sum("credits", default=0))["total"]
    return total


def _announce(
    account: CreditAccount,
    *,
    notice: notices.Kind,
    mail: mails.Kind,
    source: str,
    text: str,
    **details: str,
) -> None:
    """A notice for those who see the workspace's usage, and a mail for owners who have not had this one."""
    workspace = account.workspace
    path = reverse("credits", args=[workspace.slug])
    for member in _managers(account):
        new = notices.add(
            user=member.user, workspace=workspace, kind=notice, source=source, text=text, path=path
        )
        if new and permissions.allows(member, Permission.WORKSPACE_OWN):
            names = {"workspace": workspace.name, "slug": workspace.slug}
            mails.notify(kind=mail, email=member.user.email, **names, **details)


def _managers(account: CreditAccount) -> Iterator[Membership]:
    rows = Membership.objects.filter(permissions.having(Permission.USAGE_VIEW), workspace=account.pk)
    return rows.filter(user__is_active=True).select_related("user").order_by("pk").iterator()
