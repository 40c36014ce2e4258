"""The keys that fal signs callbacks with, fetched on demand. Source: the contract's section 7."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from editor.providers import http
from editor.providers.base import ProviderError
from editor.providers.fal.signature import public_keys

logger = logging.getLogger("editor.fal")

KEPT = 24 * 3600.0  # seconds; the most that fal allows
RETRY_AFTER = 60.0  # seconds, after a failed fetch
FETCH_SECONDS = 5.0  # fal waits about 15 s for the response to a callback


@dataclass(slots=True)
class _Fetched:
    """`until` is on the monotonic clock."""

    keys: list[bytes]
    until: float


# By the URL of the list.
_fetched: dict[str, _Fetched] = {}


async def published(origin: str) -> list[bytes]:
    """The keys, at most a day old; empty while they cannot be fetched. Never raises.

    origin  of the key list, e.g. https://rest.fal.ai
    """
    url = f"{origin}/.well-known/jwks.json"
    known = _fetched.get(url)
    if known is None or known.until < time.monotonic():
        # Stored before the fetch, so that a flood of callbacks fetches the list once.
        known = _fetched[url] = _Fetched([], until=time.monotonic() + RETRY_AFTER)
        known.keys = await _fetch(url)
        if known.keys:
            known.until = time.monotonic() + KEPT
    return known.keys


async def _fetch(url: str) -> list[bytes]:
    try:
        answer = await http.ask("fal", "GET", url, seconds=FETCH_SECONDS)
    except ProviderError as error:
        logger.warning("the keys of callbacks could not be fetched: %s", error.kind)
        return []
    return public_keys(answer.json()) if answer.ok else []
