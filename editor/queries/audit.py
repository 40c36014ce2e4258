"""The audit log: entries filtered, newest first, and paged by the position of the last one.

A page costs the same wherever it is in a log of a million entries. Several actions or people are as many
searches of an index, merged: PostgreSQL would otherwise sort all their entries, or read all others.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet

from editor.mail_addresses import normalized
from editor.models import AuditEntry, Membership, User, Workspace

PAGE = 50
PEOPLE = 5  # at most, whose name or email matches
SUGGESTED = 100  # people in the filter's list

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_POSITION = re.compile(r"(\d{1,16})\.(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Position:
    """A position in the log; as text, microseconds since 1970 and the entry's id."""

    at: datetime
    id: int

    def __str__(self) -> str:
        return f"{(self.at - _EPOCH) // _MICROSECOND}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> Position | None:
        """Parse the result of `str`; None for anything else."""
        match = _POSITION.fullmatch(text)
        return cls(_EPOCH + int(match[1]) * _MICROSECOND, int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries to show.

    workspace  None: those of all workspaces and of the portal
    actions    () for all
    people     ids of those who acted; None for all, () if nobody matched
    since      not before this time
    until      before this time
    """

    workspace: UUID | None
    actions: tuple[str, ...] = ()
    people: tuple[UUID, ...] | None = None
    since: datetime | None = None
    until: datetime | None = None


def entries(filter: Filter, *, after: Position | None = None, size: int = PAGE + 1) -> list[AuditEntry]:
    """The first `size` matching entries, or those after the position, with `actor` and `workspace`."""
    if filter.people == ():
        return []
    rows = _rows(filter, after).order_by("-created_at", "-id")
    parts = _parts(rows, filter)
    if len(parts) == 1:
        return list(parts[0][:size].select_related("actor", "workspace"))
    first, *others = (part.values_list("created_at", "pk")[:size] for part in parts)
    merged = first.union(*others, all=True).order_by("-created_at", "-id")[:size]
    found = AuditEntry.objects.filter(pk__in=[pk for _, pk in merged])
    return list(found.select_related("actor", "workspace").order_by("-created_at", "-id"))


def _rows(filter: Filter, after: Position | None) -> QuerySet[AuditEntry]:
    rows = AuditEntry.objects.all()
    if filter.workspace:
        rows = rows.filter(workspace=filter.workspace)
    if filter.since:
        rows = rows.filter(created_at__gte=filter.since)
    if filter.until:
        rows = rows.filter(created_at__lt=filter.until)
    if after:  # An index can only seek to the first condition.
        rows = rows.filter(created_at__lte=after.at).filter(Q(created_at__lt=after.at) | Q(id__lt=after.id))
    return rows


def _parts(rows: QuerySet[AuditEntry], filter: Filter) -> list[QuerySet[AuditEntry]]:
    """The matching entries of each person, or else of each action: each is sorted by an index."""
    if filter.people:
        rows = rows.filter(action__in=filter.actions) if filter.actions else rows
        return [rows.filter(actor=person) for person in filter.people]
    return [rows.filter(action=action) for action in filter.actions] or [rows]


def people(text: str, *, workspace: Workspace | None) -> tuple[UUID, ...]:
    """The ids of at most PEOPLE whose name or email contains the text.

    workspace  only its members, and former ones by their whole email; None: everybody
    """
    matching = Q(name__icontains=text) | Q(email__icontains=text)
    users = User.objects.filter(matching).order_by("name", "email")
    if workspace is None:
        return tuple(users.values_list("pk", flat=True)[:PEOPLE])
    found = list(users.filter(memberships__workspace=workspace).values_list("pk", flat=True)[:PEOPLE])
    return tuple(found or User.objects.filter(email=normalized(text)).values_list("pk", flat=True))


def suggestions(workspace: Workspace) -> list[User]:
    """Members for the filter's list, by name; of a large workspace only the first."""
    return list(workspace.members.order_by("name", "email")[:SUGGESTED])


def names(workspace: UUID, emails: Sequence[str]) -> dict[str, str]:
    """The names of the members among these addresses. Of other addresses nothing may be revealed."""
    rows = Membership.objects.filter(workspace=workspace, user__email__in=emails).select_related("user")
    return {row.user.email: row.user.display_name for row in rows}
