"""Whom a caller wants told when their job ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from editor import outbound
from editor.access import vault
from editor.errors import InvalidInput

LONGEST_URL = 2083  # characters


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
    if callback is None:
        return
    if len(callback.url) > LONGEST_URL:
        raise InvalidInput(f"The address to be told at is longer than {LONGEST_URL:,} characters.")
    try:
        outbound.check_url(callback.url)
    except outbound.Forbidden as error:
        raise InvalidInput(f"The address to be told at cannot be used. {error.message}") from None


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
