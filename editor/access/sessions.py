"""The current user of a session: what a socket read when it opened may be hours old."""

from __future__ import annotations

from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.utils.crypto import constant_time_compare

from editor.models import User


def person(session_key: str | None) -> User | None:
    """The session's user, as in `request.user`; None once they are signed out.

    That is: the session was ended or has expired, the password was changed, or the user was
    deactivated or removed. Two queries.
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
