"""What is sent to Google for an edit. Source: the contract's section 3."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from typing import Any

from editor.providers.base import EditRequest, ErrorKind
from editor.providers.failures import failure

_IMAGE_CONFIG = {"aspectRatio": "aspectRatio", "resolution": "imageSize"}


def check(request: EditRequest) -> None:
    """Raise ProviderError for an edit that would be done otherwise than was asked."""
    if request.mask is not None:
        raise failure(ErrorKind.INVALID_INPUT, message="Google's models do not support masks.")


def body(request: EditRequest, images: Sequence[bytes]) -> bytes:
    """The JSON of the request. Slow with large images: not for the event loop.

    images  the files of the request's, in its order
    """
    parts: list[dict[str, Any]] = [{"text": request.prompt}]
    for image, content in zip(request.images, images, strict=True):
        data = base64.b64encode(content).decode()
        parts.append({"inlineData": {"mimeType": image.content_type, "data": data}})
    # With words beside the image a refusal comes with its reason.
    config: dict[str, Any] = {"responseModalities": ["TEXT", "IMAGE"]}
    image_config = {
        field: str(value) for name, field in _IMAGE_CONFIG.items() if (value := request.inputs.get(name))
    }
    if image_config:  # without it the result has the ratio of the image that was sent
        config["imageConfig"] = image_config
    wishes = {"contents": [{"role": "user", "parts": parts}], "generationConfig": config}
    return json.dumps(wishes).encode()
