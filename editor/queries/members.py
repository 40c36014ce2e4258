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
class Spent:
    """Credits charged or held this month.

    approved  of them, what was approved: it counts for the workspace, not against the person's cap
    """

    total: int = 0
    approved: int = 0

    @property
    def counted(self) -> int:
        """Against the cap."""
        return self.total - self.approved


NOTHING = Spent()


@dataclass(frozen=True, slots=True)
class MemberPage:
    """Members, their highest roles first, then by name.

    total        members that match
    with_factor  ids of the people who have a second factor
    spent        by the person's id; those who spent nothing are left out
    """

    members: list[Membership]
    total: int
    with_factor: set[object]
    spent: dict[UUID, Spent]


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
        spent=spending(workspace, ids) if with_spent else {},
    )


def spending(workspace: Workspace, user_ids: list[UUID]) -> dict[UUID, Spent]:
    """What each person spent this month. Those who spent nothing are left out. Two queries."""
    month = months.of(limits.today(workspace))
    usage = DailyUsage.objects.filter(account=workspace.pk, user__in=user_ids, day__gte=month)
    live = Job.objects.filter(
        workspace=workspace, created_by__in=user_ids, status__in=LIVE, spent_on__gte=month
    )
    charged = usage.values_list("user", "approved").annotate(Sum("credits")).order_by()
    held = live.values_list("created_by", "approved").annotate(Sum("price")).order_by()
    total, approved = Counter[UUID](), Counter[UUID]()
    for user_id, is_approved, credits in [*charged, *held]:
        total[user_id] += credits
        approved[user_id] += credits if is_approved else 0
    return {user_id: Spent(credits, approved[user_id]) for user_id, credits in total.items() if credits}


def spent_by(workspace: Workspace, user_ids: list[UUID]) -> dict[UUID, int]:
    """Credits charged or held this month, by person, with what was approved."""
    return {user_id: spent.total for user_id, spent in spending(workspace, user_ids).items()}


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
