"""Calls of the outbound client, as the tests of it make them."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from editor.providers import http
from editor.providers.base import ProviderError, ResultImage
from editor.providers.http import Answer

MEGABYTE = 1024**2
LIMIT = MEGABYTE  # of a download, bytes


async def submit(url: str, seconds: float = 60) -> Answer:
    return await http.submit("test", url, headers={"x-key": "k"}, seconds=seconds, json={"prompt": "x"})


async def ask(url: str, seconds: float = 60) -> Answer:
    return await http.ask("test", "GET", url, headers={"x-key": "k"}, seconds=seconds)


async def download(url: str) -> ResultImage:
    return await http.download("test", url, limit=LIMIT)


async def failure(call: Awaitable[object]) -> ProviderError:
    """The error that the call raises."""
    with pytest.raises(ProviderError) as caught:
        await call
    return caught.value
