"""Fetches the results of one task, some of which may be missing."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from editor.providers import http
from editor.providers.base import ProviderError, ResultImage, Temporary

log = logging.getLogger("editor.providers")


async def fetch_all(provider: str, links: Sequence[str]) -> tuple[ResultImage, ...]:
    """The results that can be fetched. Raises as `http.download` does if none can."""
    images: list[ResultImage] = []
    failure: ProviderError | None = None
    for link in links:
        try:
            images.append(await http.download(provider, link))
        except ProviderError as error:
            log.warning("a result of %s could not be fetched: %s", provider, error.message)
            if failure is None or isinstance(error, Temporary):  # a retry may succeed
                failure = error
    if failure and not images:
        raise failure
    return tuple(images)
