"""Notices to people, shown behind the bell: added, read, withdrawn, deleted after KEPT."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator

from editor import events
from editor.models import Notice, User, Workspace

KEPT = timedelta(days=30)
LONGEST_TEXT = 300  # characters
SHOWN_PROMPT = 80  # characters
FORGOTTEN_AT_ONCE = 5_000


class Kind(StrEnum):
    """What a notice is about. contexts/notices.py has an icon for each."""

    APPROVAL_REQUESTED = "approval.requested"
    APPROVAL_ANSWERED = "approval.answered"
    INVITED = "invited"
    CREDITS_LOW = "credits.low"
    BUDGET_REACHED = "budget.reached"
    LIMIT_REACHED = "limit.reached"
    KEY_EXPIRING = "key.expiring"
    EDIT_ENDED = "edit.ended"


@transaction.atomic
def add(
    *,
    user: User,
    kind: Kind,
    text: str,
    path: str = "",
    source: str,
    workspace: Workspace | None = None,
) -> bool:
    """Add a notice, in the transaction of what happened; open pages of the person show it at once.

    text       one or two sentences, cut after LONGEST_TEXT characters
    path       the page that it leads to
    source     what it is about: the same kind about the same source comes once
    workspace  it is shown only while the person is a member there

    Returns whether it is new. Service accounts get none.
    """
    if user.is_service_account:
        return False
    notice, new = Notice.objects.get_or_create(
        user=user,
        kind=kind,
        source=source,
        defaults={"text": Truncator(text).chars(LONGEST_TEXT), "path": path, "workspace": workspace},
    )
    if new:
        events.publish(events.NoticesChanged(user_id=user.pk, notice_id=notice.pk))
    return new


def quoted(prompt: str) -> str:
    """The prompt of an edit in the text of a notice."""
    return f"“{Truncator(prompt).chars(SHOWN_PROMPT)}”"


def withdraw(*, user_id: UUID, kind: Kind, source: str) -> None:
    """Delete a notice that is not needed any more: the person has seen what it is about."""
    if Notice.objects.filter(user=user_id, kind=kind, source=source).delete()[0]:
        events.publish(events.NoticesChanged(user_id=user_id))


def withdraw_all(*, kind: Kind, source: str) -> None:
    """Delete everybody's notices of something that nobody has to answer any more."""
    rows = Notice.objects.filter(kind=kind, source=source)
    user_ids = list(rows.values_list("user", flat=True))
    rows.delete()
    for user_id in user_ids:
        events.publish(events.NoticesChanged(user_id=user_id))


def read(*, notice: Notice) -> None:
    """Mark it as read."""
    if Notice.objects.filter(pk=notice.pk, read_at=None).update(read_at=timezone.now()):
        events.publish(events.NoticesChanged(user_id=notice.user_id))


def read_all(*, user: User) -> int:
    """Mark all notices of the person as read; returns how many were not."""
    count = Notice.objects.filter(user=user, read_at=None).update(read_at=timezone.now())
    if count:
        events.publish(events.NoticesChanged(user_id=user.pk))
    return count


def forget() -> int:
    """Delete notices that are older than KEPT, some at a time; returns how many."""
    old = Notice.objects.filter(created_at__lt=timezone.now() - KEPT).order_by("created_at")
    ids = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    return Notice.objects.filter(pk__in=ids).delete()[0]
