"""Approvals of edits: what waits, what was decided, and who may decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet, Sum

from editor import months
from editor.access import permissions
from editor.access.permissions import Permission
from editor.models import LIVE, Approval, DailyUsage, Job, Membership, User, Workspace
from editor.queries import limits

SHOWN = 50  # cards, and rows of what was decided, on a page
COUNTED = 1_000  # further ones are not counted
CAPS = 6  # members whose caps are shown


def waiting(workspace: Workspace) -> QuerySet[Approval]:
    return Approval.objects.filter(workspace=workspace, state=Approval.State.WAITING)


def count_waiting(workspace: Workspace) -> int:
    """Up to COUNTED."""
    return waiting(workspace)[:COUNTED].count()


def count_decided(workspace: Workspace) -> int:
    """Up to COUNTED."""
    return _decided(workspace)[:COUNTED].count()


def waiting_of(workspace: Workspace, user: User) -> int:
    """How many of the person's edits wait."""
    return waiting(workspace).filter(job__created_by=user).count()


def newest_waiting(workspace: Workspace) -> list[Approval]:
    """SHOWN at most, the newest first, with all that their cards show. One query."""
    return list(_with_parts(waiting(workspace)).order_by("-requested_at", "-pk")[:SHOWN])


def newest_decided(workspace: Workspace) -> list[Approval]:
    """SHOWN at most, the last decided first. One query."""
    return list(_with_parts(_decided(workspace)).order_by("-decided_at", "-pk")[:SHOWN])


def of_job(workspace: Workspace, job_id: UUID) -> Approval | None:
    return _with_parts(Approval.objects.filter(workspace=workspace, pk=job_id)).first()


def deciders(workspace: Workspace, *, but: User | None) -> list[User]:
    """The people who may decide about an edit of `but`, by name."""
    rows = Membership.objects.filter(
        permissions.having(Permission.APPROVE),
        workspace=workspace,
        user__is_active=True,
        user__is_service_account=False,
    )
    people = [row.user for row in rows.select_related("user") if but is None or row.user_id != but.pk]
    return sorted(people, key=lambda user: user.display_name.lower())


@dataclass(frozen=True, slots=True)
class Cap:
    """A member's monthly cap, and what counts against it."""

    user: User
    allowed: int
    used: int

    @property
    def share(self) -> float:
        """How much of it is used; a cap of 0 is full."""
        return self.used / self.allowed if self.allowed else 1


def caps(workspace: Workspace) -> list[Cap]:
    """Of CAPS members, the fullest first. Three queries."""
    month = months.of(limits.today(workspace))
    # Approved edits count against the cap of a workspace's key, and not against a person's.
    spent = Q(approved=False) | Q(user__is_service_account=True)
    held = Q(approved=False) | Q(created_by__is_service_account=True)
    usage = DailyUsage.objects.filter(spent, account=workspace.pk, day__gte=month)
    live = Job.objects.filter(held, workspace=workspace, status__in=LIVE, spent_on__gte=month)
    used = Counter(dict(usage.values_list("user").annotate(Sum("credits")).order_by()))
    used.update(dict(live.values_list("created_by").annotate(Sum("price")).order_by()))
    rows = Membership.objects.filter(workspace=workspace, monthly_cap__isnull=False).select_related("user")
    found = [Cap(user=row.user, allowed=row.monthly_cap or 0, used=used[row.user_id]) for row in rows]
    return sorted(found, key=lambda cap: (cap.share, cap.used), reverse=True)[:CAPS]


def asking(workspace: Workspace, rows: Iterable[Approval]) -> dict[UUID | None, Membership]:
    """The memberships of those who asked, by the person's id. One query."""
    people = {row.job.created_by_id for row in rows if row.job.created_by_id}
    return {row.user_id: row for row in Membership.objects.filter(workspace=workspace, user__in=people)}


def _decided(workspace: Workspace) -> QuerySet[Approval]:
    return Approval.objects.filter(workspace=workspace, decided_at__isnull=False)


def _with_parts(rows: QuerySet[Approval]) -> QuerySet[Approval]:
    return rows.select_related("job__parent", "job__created_by", "decided_by")
