"""The person of a session as it is now: what a socket knew when it opened may be hours old."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from editor.models import User


def person(session_key: str | None) -> User | None:
    """The person, as pages would see them; None once they are signed out.

    That is: the session was ended or has expired, the password is another one, or the person was
    switched off or removed. Two queries.
    """
    session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    if not (user_id := session.get(SESSION_KEY)):
        return None
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        return None
    signed_in_with = session.get(HASH_SESSION_KEY, "")
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return user if any(constant_time_compare(signed_in_with, known) for known in hashes) else None
