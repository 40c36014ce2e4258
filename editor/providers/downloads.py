"""Fetches the results of one task, some of which may be missing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from editor.providers import http
from editor.providers.base import ProviderError, ResultImage, Temporary

log = logging.getLogger("editor.providers")


async def fetch_all(provider: str, links: Sequence[str]) -> tuple[ResultImage, ...]:
    """Those results that can be fetched. Raises like `http.download` if none can."""
    images: list[ResultImage] = []
    trouble: ProviderError | None = None
    for link in links:
        try:
            images.append(await http.download(provider, link))
        except ProviderError as error:
            log.warning("a result of %s could not be fetched: %s", provider, error.message)
            if trouble is None or isinstance(error, Temporary):  # this one may come when asked for again
                trouble = error
    if trouble and not images:
        raise trouble
    return tuple(images)
