"""Notices: the bell, its list, and their page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from django.urls import reverse

from editor.access import invitation_links
from editor.errors import NotFound
from editor.models import Invitation, Notice, User
from editor.operations.notices import Kind
from editor.queries import notices

SHOWN = 8  # behind the bell

_ICONS: Mapping[str, str] = MappingProxyType(
    {
        Kind.APPROVAL_REQUESTED: "shield-check",
        Kind.APPROVAL_ANSWERED: "shield-check",
        Kind.INVITED: "user-plus",
        Kind.CREDITS_LOW: "coins",
        Kind.BUDGET_REACHED: "coins",
        Kind.LIMIT_REACHED: "coins",
        Kind.KEY_EXPIRING: "key-round",
        Kind.EDIT_ENDED: "images",
    }
)


@dataclass(frozen=True, slots=True)
class NoticeView:
    id: UUID
    text: str
    icon: str
    at: datetime
    unread: bool
    leads: bool  # to a page


@dataclass(frozen=True, slots=True)
class NoticesPage:
    rows: list[NoticeView]
    unread: int
    older_url: str  # "" if there are none


def page(user: User, *, before: datetime | None) -> NoticesPage:
    """A page of the person's notices, newest first."""
    rows = notices.newest(user, count=notices.PAGE + 1, before=before)
    shown = rows[: notices.PAGE]
    older = (
        f"{reverse('notices')}?before={shown[-1].created_at.timestamp()}" if len(rows) > len(shown) else ""
    )
    return NoticesPage(rows=[_view(row) for row in shown], unread=notices.unread(user), older_url=older)


def bell(user: User) -> dict[str, Any]:
    """The list behind the bell."""
    rows = [_view(row) for row in notices.newest(user, count=SHOWN)]
    return {"rows": rows, "unread": notices.unread(user)}


def live(user: User, *, new: str | None) -> dict[str, Any]:
    """A push. `new`: the id of a notice to announce, unless it is about an edit, whose end is announced."""
    announced = notices.unread_one(user, UUID(new)) if new else None
    if announced and announced.kind == Kind.EDIT_ENDED:
        announced = None
    return {"unread": notices.unread(user), "announced": _view(announced) if announced else None}


def target(notice: Notice) -> str:
    """The page that it leads to. Raises NotFound for an invitation that is not open any more."""
    if notice.kind != Kind.INVITED:
        return notice.path or reverse("notices")
    invitation = Invitation.objects.filter(pk=UUID(notice.source), workspace__deleted_at=None).first()
    if invitation is None or not invitation.is_open:
        raise NotFound("This invitation is not open any more.")
    return reverse("invitation", args=[invitation_links.token(invitation)])


def _view(notice: Notice) -> NoticeView:
    return NoticeView(
        id=notice.pk,
        text=notice.text,
        icon=_ICONS.get(notice.kind, "bell"),
        at=notice.created_at,
        unread=notice.read_at is None,
        leads=bool(notice.path) or notice.kind == Kind.INVITED,
    )
