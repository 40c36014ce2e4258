"""Callbacks: where a caller wants to be notified when their job ends."""

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
    """Where to send the job's end, in the format of the channel that it was submitted through.

    url     must be one that the portal may call, see `policy.check_url`
    secret  signs the message; "" for none
    origin  scheme and host under which the caller knows this portal: links in the message begin with it
    """

    url: str
    secret: str
    origin: str


def check(callback: Callback | None) -> None:
    """Raise InvalidInput for a URL that the portal may not call."""
    if callback is not None:
        check_url(callback.url)


def check_url(url: str) -> None:
    """Raise InvalidInput unless this is a URL that the portal may send to."""
    if len(url) > LONGEST_URL:
        raise InvalidInput(f"The callback URL is longer than {LONGEST_URL:,} characters.")
    try:
        # Programs disagree about the meaning of spaces, backslashes and control characters in it.
        if not url.isprintable() or "\\" in url or " " in url:
            raise httpx.InvalidURL("not plain")
        httpx.URL(url)
        policy.check_url(url)
    except httpx.InvalidURL:
        raise InvalidInput("The callback URL is not a valid URL.") from None
    except policy.Forbidden as error:
        raise InvalidInput(f"The callback URL cannot be used. {error.message}") from None


def check_standard_secret(text: str) -> None:
    """Raise InvalidInput unless it is a secret as defined by Standard Webhooks: 24 to 64 bytes."""
    try:
        length = len(base64.b64decode(text.removeprefix("whsec_"), validate=True))
    except ValueError:  # also if it is not ASCII
        length = 0
    if not SHORTEST_SECRET <= length <= LONGEST_SECRET:
        message = (
            f"A signing secret is “whsec_” followed by {SHORTEST_SECRET} to {LONGEST_SECRET} bytes in base64."
        )
        raise InvalidInput(message, fields={"webhook_secret": message})


def columns(callback: Callback | None) -> dict[str, Any]:
    """The columns of a new job, including the id that the secret is bound to."""
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
    """The purpose that a job's secret is encrypted for."""
    return f"job-callback:{job_id}"
