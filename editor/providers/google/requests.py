"""Builds Google's requests for an edit. Source: the contract's section 3."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from editor.providers.base import EditRequest, ErrorKind
from editor.providers.failures import failure

_IMAGE_CONFIG = {"aspectRatio": "aspectRatio", "resolution": "imageSize"}


def check(request: EditRequest) -> None:
    """Raise ProviderError for an edit that would not be done as requested."""
    if request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="Google's models do not support masks.")


def body(request: EditRequest, images: Sequence[bytes]) -> bytes:
    """The JSON of the request. Slow with large images: do not call it on the event loop.

    images  the request's files, in order
    """
    parts: list[dict[str, Any]] = [{"text": request.prompt}]
    for image, content in zip(request.images, images, strict=True):
        data = base64.b64encode(content).decode()
        parts.append({"inlineData": {"mimeType": image.content_type, "data": data}})
    # With text allowed besides the image, a refusal comes with its reason.
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
    image_config = {
        field: str(value) for name, field in _IMAGE_CONFIG.items() if (value := request.inputs.get(name))
    }
    if image_config:  # without it the result has the ratio of the input
        config["imageConfig"] = image_config
    payload = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
    return json.dumps(payload).encode()
