"""The monthly report to a workspace's owners, once for each month in which something was done."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from editor import months, phrases
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
        month = months.before(limits.today(Workspace(time_zone=zone)))
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
    span = Span(workspace, month, months.last_day(month))
    total = usage.total(span)
    if total == Figures():
        return
    details = {
        "workspace": workspace.name,
        "slug": workspace.slug,
        "month": f"{month:%B %Y}",
        "from": f"{month:%Y-%m}",
        "credits": str(total.credits),
        "spent": phrases.credits(total.credits),
        "edits": phrases.edits(total.edits),
        "failed": phrases.edits(total.failed) if total.failed else "",
        "returned": phrases.credits(total.returned) if total.returned else "",
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
    most = list(usage.by_group(usage.by(span, dimension, usage.Unit.MONTH)).items())
    labels = usage.labels(dimension, [group for group, _ in most[:_LISTED]])
    lines = [f"{' '.join(labels[group].split())}: {_spent(figures)}" for group, figures in most[:_LISTED]]
    rest = sum((figures for _, figures in most[_LISTED:]), Figures())
    if rest != Figures():
        lines.append(f"{len(most) - _LISTED} others: {_spent(rest)}")
    return "\n".join(lines)


def _spent(figures: Figures) -> str:
    return f"{phrases.credits(figures.credits)}, {phrases.edits(figures.edits)}"
