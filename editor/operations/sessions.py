"""Sessions that end, and what may end them, are told to the person's open pages.

Listens to the rows themselves: whoever signs out, changes a password, switches somebody off or deletes
a session need not think of it. What is written past Django's models is noticed with the next message.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from editor import events
from editor.models import User


@receiver(post_delete, sender=Session)
def session_deleted(instance: Session, **kwargs: Any) -> None:
    if user_id := instance.get_decoded().get(SESSION_KEY):
        events.publish(events.SessionsChanged(user_id=UUID(user_id)))


@receiver(post_save, sender=User)
def user_saved(instance: User, created: bool, update_fields: frozenset[str] | None, **kwargs: Any) -> None:
    """The password may be another one, or the person switched off. Signing in changes neither."""
    if not created and update_fields != frozenset({"last_login"}):
        events.publish(events.SessionsChanged(user_id=instance.pk))


@receiver(post_delete, sender=User)
def user_deleted(instance: User, **kwargs: Any) -> None:
    events.publish(events.SessionsChanged(user_id=instance.pk))
