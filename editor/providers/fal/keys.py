"""The keys that fal's callbacks are signed with, fetched when needed. Source: the contract's section 7."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from editor.providers import http
from editor.providers.base import ProviderError
from editor.providers.fal.signature import public_keys

logger = logging.getLogger("editor.fal")

KEPT = 24 * 3600.0  # seconds; fal asks for no more
RETRY_AFTER = 60.0  # seconds, when they could not be fetched
FETCH_SECONDS = 5.0  # fal waits about 15 s for the answer to a callback


@dataclass(slots=True)
class _Fetched:
    """`until`: by the monotonic clock."""

    keys: list[bytes]
    until: float


# By the address of the list.
_fetched: dict[str, _Fetched] = {}


async def published(origin: str) -> list[bytes]:
    """The keys, at most a day old; none while they cannot be fetched. Never raises.

    origin  whose list of keys it is, e.g. https://rest.fal.ai
    """
    url = f"{origin}/.well-known/jwks.json"
    known = _fetched.get(url)
    if known is None or known.until < time.monotonic():
        # Noted before it is asked for: a flood of callbacks fetches one list, and not each its own.
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
