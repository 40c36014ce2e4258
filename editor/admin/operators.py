"""Who may enter the admin."""

from __future__ import annotations

from django.http import HttpRequest

from editor.access import second_factor
from editor.models import User


def may_enter(request: HttpRequest) -> bool:
    """Active operators. Raises SecondFactorRequired for one who lacks the second factor that is demanded."""
    user = request.user
    if not isinstance(user, User) or not user.is_active or not user.is_staff:
        return False
    second_factor.require_of_staff(user)
    return True
