"""Memberships, invitations and seats."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, F, IntegerField, Q, QuerySet, Sum, Value, When
from django.db.models.functions import Coalesce, Lower, NullIf
from django.utils import timezone

from editor import months
from editor.access import second_factor
from editor.models import LIVE, DailyUsage, Invitation, Job, Membership, Role, User, Workspace
from editor.queries import limits

PAGE = 15
_RANK = Case(
    *(When(role=role, then=Value(rank)) for rank, role in enumerate(Role)), output_field=IntegerField()
)


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members, their highest roles first, then by name.

    total        members that match
    with_factor  ids of the people who have a second factor
    spent        credits charged or held this month, by the person's id
    """

    members: list[Membership]
    total: int
    with_factor: set[object]
    spent: dict[UUID, int]


def workspaces_of(user: User) -> list[Workspace]:
    """The user's workspaces, in the order of joining."""
    return list(Workspace.objects.filter(memberships__user=user, deleted_at=None).order_by("memberships__id"))


def people(workspace: Workspace) -> QuerySet[Membership]:
    """The workspace's members, without the accounts that its own API keys act as."""
    return Membership.objects.filter(workspace=workspace, user__is_service_account=False)


def page(
    workspace: Workspace, *, words: str = "", number: int = 1, size: int = PAGE, with_spent: bool = True
) -> MemberPage:
    """`words`: a part of the name or the email. Five queries for any number of members."""
    rows = people(workspace)
    if words:
        rows = rows.filter(Q(user__name__icontains=words) | Q(user__email__icontains=words))
    name = Lower(Coalesce(NullIf(F("user__name"), Value("")), F("user__email")))
    shown = rows.select_related("user").order_by(_RANK, name, "id")[(number - 1) * size : number * size]
    members = list(shown)
    ids = [row.user_id for row in members]
    return MemberPage(
        members=members,
        total=rows.count(),
        with_factor=second_factor.people_with_one(ids),
        spent=spent_by(workspace, ids) if with_spent else {},
    )


def spent_by(workspace: Workspace, user_ids: list[UUID]) -> dict[UUID, int]:
    """Credits charged or held this month, by person. Those who spent nothing are left out.

    What was approved is included: it counts for the workspace, not against the person's cap.
    """
    month = months.of(limits.today(workspace))
    usage = DailyUsage.objects.filter(account=workspace.pk, user__in=user_ids, day__gte=month)
    live = Job.objects.filter(
        workspace=workspace, created_by__in=user_ids, status__in=LIVE, spent_on__gte=month
    )
    sums = Counter(dict(usage.values_list("user").annotate(Sum("credits")).order_by()))
    sums.update(dict(live.values_list("created_by").annotate(Sum("price")).order_by()))
    return {user_id: spent for user_id, spent in sums.items() if spent}


def spent(workspace: Workspace) -> int:
    """Credits charged or held this month."""
    day = limits.today(workspace)
    return limits.used_since_month_and_day(workspace, day=day, spent=Q(), held=Q())[0]


def owners(workspace: Workspace) -> int:
    return people(workspace).filter(role=Role.OWNER).count()


def pending(workspace: Workspace, *, words: str = "", number: int = 1, size: int = PAGE) -> list[Invitation]:
    """Invitations that are neither used nor revoked, newest first; one more than `size` if there are more."""
    rows = Invitation.objects.select_related("invited_by").filter(
        workspace=workspace, accepted_at=None, revoked_at=None
    )
    if words:
        rows = rows.filter(email__icontains=words)
    start = (number - 1) * size
    return list(rows.order_by("-created_at", "-id")[start : start + size + 1])


def seats_used(workspace: Workspace) -> int:
    """Members and open invitations together."""
    invited = Invitation.objects.filter(
        workspace=workspace, accepted_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )
    return people(workspace).count() + invited.count()


def seats_left(workspace: Workspace) -> float:
    """Seats of the plan that are free; infinity if it does not limit them. Negative if it was lowered."""
    seats = workspace.plan.seats
    return math.inf if seats is None else seats - seats_used(workspace)
