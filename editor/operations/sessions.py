"""Publishes SessionsChanged when a session has or may have ended, for the person's open pages.

It receives the models' signals, so code that signs out, changes a password, deactivates a person or
deletes a session need not do it. Writes that bypass the models are noticed with a page's next message.
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
    """The password may have changed, or `is_active`. Signing in changes neither."""
    if not created and update_fields != frozenset({"last_login"}):
        events.publish(events.SessionsChanged(user_id=instance.pk))


@receiver(post_delete, sender=User)
def user_deleted(instance: User, **kwargs: Any) -> None:
    events.publish(events.SessionsChanged(user_id=instance.pk))
