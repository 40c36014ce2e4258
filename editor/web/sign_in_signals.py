"""What follows a sign-in, a failed one or a sign-out: entries of the audit log, and a mail. See apps.py.

Failed sign-ins have passed the limits of sign_in_limits.py. Of these, the audit log gets at most 60 attempts
an hour from one network (an IPv4 address or an IPv6 /64) and 1,000 in all, so that strangers cannot fill it.
Wrong codes do not count towards the latter, nor are they left out for it: who enters one knows the password.
"""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core.internal import ratelimit
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from editor.contexts.devices import device
from editor.models import User
from editor.operations import mails, sign_ins
from editor.web import sign_in_limits

RECORDED = {"network": "60/h/ip", "all": "1000/h/key", "code": "60/h/key"}


@receiver(user_logged_in)
def signed_in(request: HttpRequest, user: User, **kwargs: Any) -> None:
    agent = device(request.headers.get("User-Agent", "")).name
    sign_ins.signed_in(user=user, how=_method(request, user), device=agent)
    if not sign_in_limits.is_known(request, user) and not sign_ins.is_first(user):
        mails.notify(
            kind=mails.Kind.NEW_SIGN_IN,
            email=user.email,
            at=timezone.now().isoformat(timespec="minutes"),
            address=request.META.get("REMOTE_ADDR", ""),
            device=agent,
        )


def _method(request: HttpRequest, user: User) -> str:
    """The identity provider, or "password", "mfa" and the like, as allauth names it; "" if unknown."""
    records = get_authentication_records(request, user)
    return str(records[-1].get("provider") or records[-1].get("method", "")) if records else ""


@receiver(user_logged_out)
def signed_out(user: User | None, **kwargs: Any) -> None:
    if user is not None and user.pk:  # else the account was deleted
        sign_ins.signed_out(user=user)


@receiver(user_login_failed)
def failed(credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any) -> None:
    email = str(credentials.get("email") or credentials.get("username") or "")
    if request is not None and email:
        _record(request, email, network="", all="all")


def code_failed(request: HttpRequest, email: str) -> None:
    """Record a wrong code or recovery code for this account."""
    _record(request, email, code=email)


def _record(request: HttpRequest, email: str, **keys: str) -> None:
    """Record a refused attempt for this address, unless there were too many. `keys`: of RECORDED."""
    taken = (
        ratelimit.consume(request, app="editor", action=name, config=RECORDED, key=key, limit_get=True)
        for name, key in keys.items()
    )
    if all(taken):
        sign_ins.failed(email=email)
