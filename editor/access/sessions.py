"""The current user of a session: what a socket read when it opened may be hours old."""

from __future__ import annotations

from collections.abc import Collection
from importlib import import_module

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
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
    return user if _is_current(user, session.get(HASH_SESSION_KEY, "")) else None


def live(user: User, session_keys: Collection[str]) -> set[str]:
    """Those of the user's sessions that have not ended. One query."""
    rows = Session.objects.filter(session_key__in=session_keys, expire_date__gt=timezone.now())
    return {row.session_key for row in rows if _is_current(user, row.get_decoded().get(HASH_SESSION_KEY, ""))}


def _is_current(user: User, signed_in_with: str) -> bool:
    """Whether the password is still the one that the session was opened with."""
    hashes = [user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()]
    return any(constant_time_compare(signed_in_with, known) for known in hashes)
