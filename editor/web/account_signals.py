"""What follows allauth's changes of passwords and second factors. Registered in apps.py."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.mfa import signals as mfa
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest

from editor.models import User
from editor.operations import people, second_factors, sessions


@receiver(account.password_changed)
def password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    sessions.end_all(user=user, but=request.session.session_key)


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The link was in a mail, so the user reads the mail of this address."""
    sessions.end_all(user=user)
    if settings.SENDS_MAIL:
        people.confirm_email(user=user, email=user.email)


@receiver((mfa.authenticator_added, mfa.authenticator_removed, mfa.authenticator_reset))
def factor_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    second_factors.changed(user=user, session_key=request.session.session_key)
