"""Edits for an account whose requests are signed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from editor.providers.base import EditRequest
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
