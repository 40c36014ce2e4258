"""Calls of the outbound client for its tests, their responses and their errors."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx
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


def raised(function: Callable[..., object], *arguments: object, **options: object) -> ProviderError:
    """The same for a synchronous function called with these arguments."""
    with pytest.raises(ProviderError) as caught:
        function(*arguments, **options)
    return caught.value


def answer(status: int, body: object = b"", **headers: str) -> Answer:
    """A response with this body, encoded as JSON unless it is bytes."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.Headers(named), content)
