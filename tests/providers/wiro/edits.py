"""Edits for an account whose requests are signed, and what became of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from editor.providers.base import EditRequest, ProviderError, Submitted
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.checks import http
from tests.emulators.wiro import Wiro
from tests.providers import edits

FLUX_2 = "black-forest-labs/flux-2-pro"
FLEX = "black-forest-labs/flux-2-flex"
KLEIN = "black-forest-labs/FLUX.2-klein-9B"
KONTEXT = "black-forest-labs/flux-kontext-pro"
DEV = "wiro/flux_kontext_dev_with_2_image"


def edit(wiro: Wiro, target: str = FLUX_2, *images: bytes, **options: Any) -> EditRequest:
    request = edits.edit(wiro, target, *images, **options)
    return replace(request, account=replace(request.account, secret=wiro.secret or ""))


def contents(links: list[str]) -> list[bytes]:
    """What lies at these addresses."""
    return [http.get(link).content for link in links]


async def failure(adapter: Adapter, request: EditRequest, task: Submitted | None = None) -> ProviderError:
    """Of the submit, or of the first poll that is not just progress."""
    with pytest.raises(ProviderError) as caught:
        if task is None:
            await adapter.submit(request)
        else:
            await edits.finish(adapter, request, task)
    return caught.value
