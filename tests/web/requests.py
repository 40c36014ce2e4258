"""Requests as browsers send them: signed in, and by htmx."""

from __future__ import annotations

import re
from typing import Any

from django.core.cache import cache
from django.test import Client

from editor.models import User
from editor.web.middleware import SEEN_SECONDS, seen_key

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
