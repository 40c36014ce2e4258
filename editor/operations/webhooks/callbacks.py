"""Whom a caller wants told when their job ends."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx

from editor.access import vault
from editor.errors import InvalidInput
from editor.net import policy

LONGEST_URL = 2083  # characters
SHORTEST_SECRET, LONGEST_SECRET = 24, 64  # bytes


@dataclass(frozen=True, slots=True)
class Callback:
    """Who is told when the job ends, in the words of the door that it came through.

    url     must be one that the portal may ask, see `outbound.check_url`
    secret  signs what is told; "" for none
    origin  scheme and host under which the caller knows this portal: links that are told begin with it
    """

    url: str
    secret: str
    origin: str


def check(callback: Callback | None) -> None:
    """Raise InvalidInput for an address that the portal will not ask."""
    if callback is not None:
        check_url(callback.url)


def check_url(url: str) -> None:
    """Raise InvalidInput unless this is an address that the portal may send something to."""
    if len(url) > LONGEST_URL:
        raise InvalidInput(f"The callback URL is longer than {LONGEST_URL:,} characters.")
    try:
        # Programs do not agree on what spaces, backslashes and control characters in it mean.
        if not url.isprintable() or "\\" in url or " " in url:
            raise httpx.InvalidURL("not plain")
        httpx.URL(url)
        policy.check_url(url)
    except httpx.InvalidURL:
        raise InvalidInput("The callback URL is not a valid URL.") from None
    except policy.Forbidden as error:
        raise InvalidInput(f"The callback URL cannot be used. {error.message}") from None


def check_standard_secret(text: str) -> None:
    """Raise InvalidInput unless it is a secret as Standard Webhooks has them: 24 to 64 bytes."""
    try:
        length = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:  # also for what is not ASCII
        length = 0
    if not SHORTEST_SECRET <= length <= LONGEST_SECRET:
        message = (
            f"A signing secret is “whsec_” followed by {SHORTEST_SECRET} to {LONGEST_SECRET} bytes in base64."
        )
        raise InvalidInput(message, fields={"webhook_secret": message})


def columns(callback: Callback | None) -> dict[str, Any]:
    """What a new job keeps of it, with the id that the secret is bound to."""
    if callback is None:
        return {}
    job_id = uuid4()
    secret = vault.encrypt(purpose=purpose(job_id), text=callback.secret) if callback.secret else None
    return {
        "id": job_id,
        "callback_url": callback.url,
        "callback_secret": secret,
        "origin": callback.origin,
    }


def purpose(job_id: UUID) -> str:
    """What a job's secret is encrypted for."""
    return f"job-callback:{job_id}"
