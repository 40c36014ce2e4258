"""EMAIL_URL: how mail is sent."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from environ import Env


def mail_settings(url: str) -> dict[str, Any]:
    """Django's EMAIL_* settings. Raises ValueError with the reason, which never contains the password."""
    scheme = url.partition("://")[0]
    if scheme not in Env.EMAIL_SCHEMES:
        raise ValueError(f"it must begin with {', '.join(f'{name}://' for name in Env.EMAIL_SCHEMES)}")
    try:
        found: dict[str, Any] = Env.email_url_config(url)
    except (ImproperlyConfigured, ValueError):
        # Their messages quote what may be part of the password.
        raise ValueError(
            "it is not a URL: in a user name or password, write characters such as / # ? @ : "
            "percent-encoded, and end with a host and a port of digits"
        ) from None
    if scheme.startswith("smtp") and not found["EMAIL_HOST"]:
        raise ValueError("it has no host, as in smtp://user:password@host:587")
    return found
