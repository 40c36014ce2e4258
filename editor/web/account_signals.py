"""What follows allauth's changes of passwords, second factors and connections. Registered in apps.py."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from allauth.socialaccount import signals as social
from django.conf import settings
from django.dispatch import receiver
from django.http import HttpRequest

from editor.models import User
from editor.operations import people, second_factors
from editor.web import sign_in_signals

FACTORS = {
    Authenticator.Type.TOTP: "Authenticator app",
    Authenticator.Type.WEBAUTHN: "Passkey",
    Authenticator.Type.RECOVERY_CODES: "Recovery codes",
}


@receiver(account.password_changed)
def password_changed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    people.password_changed(user=user, session_key=request.session.session_key, address=_address(request))


@receiver(account.password_reset)
def password_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """The link was in a mail, so the user reads the mail of this address."""
    people.password_changed(user=user, address=_address(request))
    if settings.SENDS_MAIL:
        people.confirm_email(user=user, email=user.email)


@receiver(mfa.authenticator_added)
def factor_added(authenticator: Authenticator, **kwargs: Any) -> None:
    """Recovery codes come with the first factor."""
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        _factor_changed("added", authenticator=authenticator, **kwargs)


@receiver(mfa.authenticator_removed)
def factor_removed(**kwargs: Any) -> None:
    _factor_changed("removed", **kwargs)


@receiver(mfa.authenticator_reset)
def factor_renewed(**kwargs: Any) -> None:
    _factor_changed("renewed", **kwargs)


@receiver(mfa.authentication_failed)
def code_failed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    sign_in_signals.code_failed(request, user.email)


@receiver(social.social_account_added)
def connected(request: HttpRequest, sociallogin: Any, **kwargs: Any) -> None:
    _connection(request, sociallogin.user, "account.provider_connected", sociallogin.account.provider)


@receiver(social.social_account_removed)
def disconnected(request: HttpRequest, socialaccount: Any, **kwargs: Any) -> None:
    _connection(request, socialaccount.user, "account.provider_disconnected", socialaccount.provider)


def _connection(request: HttpRequest, user: User, action: str, provider: str) -> None:
    people.record(user=user, action=action, address=_address(request), data={"provider": provider})


def _factor_changed(
    action: str, *, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    second_factors.changed(
        user=user,
        action=action,
        what=FACTORS[Authenticator.Type(authenticator.type)],
        session_key=request.session.session_key,
        address=_address(request),
    )


def _address(request: HttpRequest) -> str:
    address: str = get_adapter().get_client_ip(request)
    return address
