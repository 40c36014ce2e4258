"""kie's models, and what became of an edit."""

from __future__ import annotations

import pytest

from editor.providers.base import EditRequest, ProviderError, Submitted
from editor.providers.kie.adapter import Kie as Adapter
from tests.providers.edits import finish

FLUX_2 = "flux-2/pro-image-to-image"
GPT = "gpt-image-2-5-sunburst-image-to-image"
KONTEXT = "flux-kontext-max"
BOTH_APIS = pytest.mark.parametrize("target", [FLUX_2, KONTEXT])
# Each market model with its field for images.
FIELDS = {
    "google/nano-banana-edit": "image_urls",
    "nano-banana-2": "image_input",
    "nano-banana-2-1": "image_input",
    "nano-banana-2-lite": "image_urls",
    "nano-banana-pro": "image_input",
    FLUX_2: "input_urls",
    "flux-2/flex-image-to-image": "input_urls",
    "gpt-image-2-5-flare-image-to-image": "input_urls",
    GPT: "input_urls",
}


async def failure(adapter: Adapter, request: EditRequest, task: Submitted | None = None) -> ProviderError:
    """Of the submit, or of the first poll that is not just progress."""
    with pytest.raises(ProviderError) as caught:
        if task is None:
            await adapter.submit(request)
        else:
            await finish(adapter, request, task)
    return caught.value
