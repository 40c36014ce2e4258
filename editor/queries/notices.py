"""A person's notices."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from editor.errors import NotFound
from editor.models import Notice, User, Workspace

PAGE = 50


def unread(user: User) -> int:
    """How many notices the person has not read."""
    return _visible(user).filter(read_at=None).count()


def newest(user: User, *, count: int = PAGE, before: datetime | None = None) -> list[Notice]:
    """The person's newest notices, before a time if given; newest first. With their workspaces."""
    rows = _visible(user).select_related("workspace").order_by("-created_at", "-id")
    return list((rows.filter(created_at__lt=before) if before else rows)[:count])


def unread_one(user: User, notice_id: UUID) -> Notice | None:
    """The notice; None if it has been read or withdrawn."""
    return _visible(user).filter(pk=notice_id, read_at=None).first()


def one(user: User, notice_id: UUID) -> Notice:
    """Raises NotFound for one of somebody else, and one that was deleted."""
    notice = _visible(user).filter(pk=notice_id).first()
    if notice is None:
        raise NotFound("This notice does not exist any more.")
    return notice


def _visible(user: User) -> QuerySet[Notice]:
    """Not those about workspaces that the person cannot reach any more."""
    reachable = Workspace.objects.filter(memberships__user=user, deleted_at=None)
    return Notice.objects.filter(Q(workspace=None) | Q(workspace__in=reachable), user=user)
