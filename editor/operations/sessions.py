"""Ends sessions, and publishes SessionsChanged for a person's open pages when one has or may have ended.

For that it receives the models' signals, so code that signs out, changes a password, deactivates a person
or deletes a session need not do it. Writes that bypass the models are noticed with a page's next message.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from editor import events
from editor.access import operators
from editor.models import User
from editor.operations import audit

FORGOTTEN_AT_ONCE = 1_000


@transaction.atomic
def end(*, user: User, session_id: int, address: str | None = None) -> None:
    """End one of the person's sessions, and its sockets. Idempotent."""
    for session in UserSession.objects.filter(user=user, pk=session_id):
        session.end()
        _record(user, user, 1, address)


def end_all(*, user: User, actor: User, but: str | None = None, address: str | None = None) -> None:
    """End the actor's own sessions, or those of another person for an operator.

    but  the key of a session that stays
    """
    if actor != user:
        operators.require(actor)
    end_after_change(user=user, actor=actor, but=but, address=address)


@transaction.atomic
def end_after_change(
    *, user: User, actor: audit.By, but: str | None = None, address: str | None = None
) -> None:
    """The same after a change of the account, by an operation that has checked the actor's rights."""
    ended = list(UserSession.objects.filter(user=user).exclude(session_key=but or ""))
    for session in ended:
        session.end()
    if ended:
        _record(user, actor, len(ended), address)


@transaction.atomic
def forget() -> int:
    """Delete sessions that have expired, FORGOTTEN_AT_ONCE at a time; returns how many.

    Anybody can begin one: the challenge of a passkey is kept in it.
    """
    expired = Session.objects.filter(expire_date__lt=timezone.now()).order_by("expire_date")
    keys = list(expired.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    UserSession.objects.filter(session_key__in=keys).delete()
    Session.objects.filter(pk__in=keys).delete()
    return len(keys)


def _record(user: User, actor: audit.By, count: int, address: str | None) -> None:
    audit.record_for(
        person=user,
        actor=actor,
        action="account.sessions_ended",
        target=user.email,
        data={"count": count},
        address=address,
    )


@receiver(post_delete, sender=Session)
def session_deleted(instance: Session, **kwargs: Any) -> None:
    if user_id := instance.get_decoded().get(SESSION_KEY):
        events.publish(events.SessionsChanged(user_id=UUID(user_id)))


@receiver(post_save, sender=User)
def user_saved(instance: User, created: bool, update_fields: frozenset[str] | None, **kwargs: Any) -> None:
    """The password may have changed, or `is_active`. Signing in changes neither."""
    if not created and update_fields != frozenset({"last_login"}):
        events.publish(events.SessionsChanged(user_id=instance.pk))


@receiver(post_delete, sender=User)
def user_deleted(instance: User, **kwargs: Any) -> None:
    events.publish(events.SessionsChanged(user_id=instance.pk))
