"""Requests as browsers send them: signed in, and by htmx."""

from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from editor.models import User
from editor.web.middleware import SEEN_SECONDS, seen_key
from tests.factories import PASSWORD

# Headers that htmx 4 sends to swap a part of a page.
HTMX = {
    "HX-Request": "true",
    "HX-Request-Type": "partial",
    "HX-Source": "form#studio-form",
    "HX-Target": "div#jobs",
    "HX-Current-URL": "http://testserver/",
    "Accept": "text/html",
}


def signed_in(user: User) -> Client:
    """A client whose session is listed already, so that its first request takes no more queries."""
    client = Client()
    client.force_login(user)
    cache.add(seen_key(client.session.session_key or ""), True, SEEN_SECONDS)
    return client


def body(response: Any) -> str:
    """The page without its CSRF tokens, which differ each time."""
    text = response.content.decode()
    return re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken)("?[:=] ?")[^"]+"', r"\1\2…", text)


def by_password(user: User, **extra: Any) -> Client:
    """A browser in which the user entered email and password."""
    client = Client(**extra)
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    return client


def reauthenticated(user: User, **headers: str) -> Client:
    """A browser in which the user signed in, and entered the password again a moment ago."""
    client = by_password(user, headers=headers)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session
