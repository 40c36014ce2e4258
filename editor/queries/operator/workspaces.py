"""Workspaces, people and the ledger over the whole portal. A page takes as many queries as one row."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.db.models import Count, OuterRef, Prefetch, Q, QuerySet, Subquery, Sum, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from editor.models import (
    CreditAccount,
    DailyUsage,
    LedgerEntry,
    Membership,
    ModelSetting,
    Plan,
    User,
    Workspace,
)

PAGE = 50
DAYS = 30


def page(*, words: str = "", number: int = 1) -> list[Workspace]:
    """Workspaces by name with their plan, account and `people`; one more than a page if there are more.

    words  in their name or address
    """
    rows = Workspace.objects.select_related("plan", "credit_account")
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(slug__icontains=words))
    members = (
        Membership.objects.filter(workspace=OuterRef("pk"), user__is_service_account=False)
        .order_by()
        .values("workspace")
        .annotate(count=Count("pk"))
        .values("count")
    )
    start = (number - 1) * PAGE
    counted = rows.annotate(people=Coalesce(Subquery(members), 0)).order_by("deleted_at", "name", "pk")
    return list(counted[start : start + PAGE + 1])


def spent(ids: Sequence[UUID], *, today: date) -> Mapping[UUID, list[int]]:
    """Credits spent on each of the last DAYS days, the oldest first."""
    since = today - timedelta(days=DAYS - 1)
    rows = (
        DailyUsage.objects.filter(account__in=ids, day__gte=since, day__lte=today)
        .values_list("account", "day")
        .annotate(Sum("credits"))
        .order_by()
    )
    found: dict[UUID, list[int]] = defaultdict(lambda: [0] * DAYS)
    for account, day, credits in rows:
        found[account][(day - since).days] = credits
    return found


def totals() -> Mapping[str, int]:
    """All credits: `balance` and `held`."""
    return CreditAccount.objects.aggregate(balance=Sum("balance", default=0), held=Sum("held", default=0))


def plans() -> QuerySet[Plan]:
    """All, with the number of their `workspaces_count`."""
    counted = Count("workspaces", filter=Q(workspaces__deleted_at=None))
    return Plan.objects.annotate(workspaces_count=counted).order_by("-is_default", "name")


def people(*, words: str = "", number: int = 1) -> list[User]:
    """People by address, with their memberships as `places` and the number of sessions as `open_sessions`."""
    rows = User.objects.filter(is_service_account=False)
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(email__icontains=words))
    sessions = (
        UserSession.objects.filter(user=OuterRef("pk"))
        .order_by()
        .values("user")
        .annotate(count=Count("pk"))
        .values("count")
    )
    memberships = Membership.objects.filter(workspace__deleted_at=None).select_related("workspace")
    start = (number - 1) * PAGE
    return list(
        rows.annotate(open_sessions=Coalesce(Subquery(sessions), 0))
        .prefetch_related(Prefetch("memberships", memberships.order_by("workspace__name"), to_attr="places"))
        .order_by("email")[start : start + PAGE + 1]
    )


def ledger(*, workspace: Workspace | None = None, before: int | None = None) -> list[LedgerEntry]:
    """Entries, newest first; one more than a page if there are more. `before`: an entry's id."""
    rows = LedgerEntry.objects.select_related("account__workspace", "actor", "job")
    if workspace:
        rows = rows.filter(account=workspace.pk)
    if before:
        rows = rows.filter(pk__lt=before)
    return list(rows.order_by("-pk")[: PAGE + 1])


def model_settings(workspace: Workspace | None) -> list[ModelSetting]:
    """What operators decided about models for one workspace, or with None for all."""
    return list(ModelSetting.objects.filter(workspace=workspace))


def own_prices(*, per_model: int) -> list[ModelSetting]:
    """The first workspaces of each model that have a price of their own, and `total`: how many have."""
    rows = ModelSetting.objects.exclude(workspace=None).select_related("workspace")
    numbered = rows.annotate(
        place=Window(RowNumber(), partition_by="model", order_by=["workspace__name", "pk"]),
        total=Window(Count("pk"), partition_by="model"),
    )
    return list(numbered.filter(place__lte=per_model).order_by("model", "place"))


def today() -> date:
    return timezone.now().date()
