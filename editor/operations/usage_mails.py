"""The monthly report to a workspace's owners, once for each month in which something was done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from editor.models import Role, User, Workspace
from editor.operations import mails
from editor.queries import limits, usage
from editor.queries.usage import Dimension, Figures, Span

_AT_ONCE = 50  # workspaces
_LISTED = 10  # people and models


@transaction.atomic
def mail_monthly() -> int:
    """Enqueue the reports of the month that has ended where it has; returns for how many workspaces.

    The mails and the mark that they were sent are one transaction. Without a mail server it does nothing, so
    that the newest report is mailed once there is one.
    """
    if not settings.SENDS_MAIL:
        return 0
    count = 0
    for workspace, month in _due():
        report(workspace=workspace, month=month)
        workspace.usage_mailed = month
        workspace.save(update_fields=["usage_mailed"])
        count += 1
    return count


def _due() -> Iterator[tuple[Workspace, date]]:
    """Workspaces, locked, whose newest full month was not reported, and its first day."""
    zones = Workspace.objects.filter(usage_mail=True, deleted_at=None).order_by()
    for zone in list(zones.values_list("time_zone", flat=True).distinct()):
        month = _month_before(limits.month_of(limits.today(Workspace(time_zone=zone))))
        rows = Workspace.objects.select_for_update(skip_locked=True, no_key=True, of=("self",)).filter(
            Q(usage_mailed=None) | Q(usage_mailed__lt=month),
            usage_mail=True,
            deleted_at=None,
            time_zone=zone,
        )
        for workspace in rows.order_by("pk")[:_AT_ONCE]:
            yield workspace, month


def report(*, workspace: Workspace, month: date) -> None:
    """Enqueue the report of this month to each owner, unless nobody did anything. `month`: its first day."""
    until = (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    span = Span(workspace, month, until)
    total = usage.total(span)
    if total == Figures():
        return
    details = {
        "workspace": workspace.name,
        "slug": workspace.slug,
        "month": f"{month:%B %Y}",
        "from": f"{month:%Y-%m}",
        "credits": str(total.credits),
        "spent": _credits(total.credits),
        "edits": _edits(total.edits),
        "failed": _edits(total.failed) if total.failed else "",
        "returned": _credits(total.returned) if total.returned else "",
        "people": _listed(span, Dimension.MEMBER),
        "models": _listed(span, Dimension.MODEL),
    }
    owners = User.objects.filter(
        memberships__workspace=workspace,
        memberships__role=Role.OWNER,
        is_active=True,
        is_service_account=False,
    )
    for owner in owners:
        mails.notify(kind=mails.Kind.USAGE, email=owner.email, **details)


def _listed(span: Span, dimension: Dimension) -> str:
    """The groups with the most credits, one on each line."""
    sums: dict[str, Figures] = {}
    for row in usage.by(span, dimension, usage.Unit.MONTH):
        sums[row.group] = sums.get(row.group, Figures()) + row.figures
    most = sorted(sums.items(), key=lambda item: (-item[1].credits, -item[1].edits))
    labels = usage.labels(dimension, [group for group, _ in most[:_LISTED]])
    lines = [
        f"{' '.join(labels[group].split())}: {_credits(figures.credits)}, {_edits(figures.edits)}"
        for group, figures in most[:_LISTED]
    ]
    rest = sum((figures for _, figures in most[_LISTED:]), Figures())
    if rest != Figures():
        lines.append(f"{len(most) - _LISTED} others: {_credits(rest.credits)}, {_edits(rest.edits)}")
    return "\n".join(lines)


def _credits(amount: int) -> str:
    return "1 credit" if amount == 1 else f"{amount:,} credits"


def _edits(count: int) -> str:
    return "1 edit" if count == 1 else f"{count:,} edits"


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
