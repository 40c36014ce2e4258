"""Limits on failed sign-ins: guessing is slow, and strangers cannot lock an owner out.

Failures count against the network they come from, against the address together with that network, and
against the address from all networks in which nobody has signed in to it. A browser that has signed in
before has a count of its own, which nobody else can use up. A network is an IPv4 address or an IPv6 /64.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from allauth.account.signals import password_reset
from allauth.core.internal import ratelimit
from allauth.core.internal.ratelimit import RateLimitUsage
from django.core import signing
from django.core.cache import cache
from django.dispatch import receiver
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from editor.models import User

# Failures per period; "ip" is the client's network.
RATES = {
    "browser": "10/5m/key",
    "address": "5/5m/key",
    "network": "20/m/ip",
    "elsewhere": "300/h/key",
}
BROWSER_SECONDS = 365 * 24 * 3600
NETWORK_SECONDS = 90 * 24 * 3600


def take(request: HttpRequest, email: str) -> RateLimitUsage | None:
    """Count an attempt as a failure until it is rolled back; None if the attempt is not allowed."""
    if browser := _browser(request, email):
        return _take(request, "browser", f"{email} {browser}")
    taken: list[ratelimit.SingleRateLimitUsage] = []
    for rate, key in {"address": _place(request, email), "network": None, "elsewhere": email}.items():
        if rate == "elsewhere" and cache.get(_network_key(request, email)):
            continue
        usage = _take(request, rate, key)
        if usage is None:
            return None
        taken += usage.usage
    return RateLimitUsage(usage=taken)


def remember(request: HttpRequest, response: HttpResponseBase, user: User) -> None:
    """Remember that the user has signed in with this browser, from this network."""
    cache.set(_network_key(request, user.email), True, NETWORK_SECONDS)
    response.set_cookie(
        _cookie(user.email),
        signing.dumps(_browser(request, user.email) or secrets.token_hex(8), salt=_salt(user.email)),
        max_age=BROWSER_SECONDS,
        path=reverse("account_login"),
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )


def is_known(request: HttpRequest, user: User) -> bool:
    """Whether the user has signed in with this browser before."""
    return _browser(request, user.email) is not None


@receiver(password_reset)
def password_was_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Whoever reads the user's mail is trusted: failures of others do not keep them from signing in now."""
    cache.set(_network_key(request, user.email), True, NETWORK_SECONDS)
    ratelimit.clear(request, app="editor", action="address", config=RATES, key=_place(request, user.email))


def _take(request: HttpRequest, rate: str, key: str | None) -> RateLimitUsage | None:
    usage: RateLimitUsage | None = ratelimit.consume(
        request, app="editor", action=rate, config=RATES, key=key
    )
    return usage


def _place(request: HttpRequest, email: str) -> str:
    return f"{email} {ratelimit.get_ip(request)}"


def _network_key(request: HttpRequest, email: str) -> str:
    return f"signed-in-from:{hashlib.sha256(_place(request, email).encode()).hexdigest()}"


def _browser(request: HttpRequest, email: str) -> str | None:
    """The name given to this browser when the user signed in with it; None if they never did."""
    try:
        name = signing.loads(
            request.COOKIES.get(_cookie(email), ""), salt=_salt(email), max_age=BROWSER_SECONDS
        )
    except signing.BadSignature:
        return None
    return str(name)


def _cookie(email: str) -> str:
    """Name of the cookie: one for each user of the browser, without their address in clear text."""
    return f"known_{hashlib.sha256(email.encode()).hexdigest()[:12]}"


def _salt(email: str) -> str:
    return f"editor.known-browser:{email}"
