"""Who may enter the admin."""

from __future__ import annotations

from django.http import HttpRequest

from editor.access import second_factor, sessions
from editor.errors import NotAuthenticated
from editor.models import User


def may_enter(request: HttpRequest) -> bool:
    """Active operators. Raises SecondFactorRequired for one who lacks the second factor that is demanded."""
    user = request.user
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        return False
    second_factor.require_of_staff(user)
    return True


def check_again(request: HttpRequest) -> None:
    """Raise NotAuthenticated unless the session that the request began with is still one of an operator."""
    user = sessions.person(request.session.session_key)
    if user is None or not user.is_staff:
        raise NotAuthenticated("You are signed out. Sign in again to continue.")
