"""The sizes of BFL's results, and their prices."""

from __future__ import annotations

import math

from tests.emulators.bfl.schemas import Expand, Fill, Flux2Klein, Kontext, Pro11, Schema, Ultra
from tests.emulators.inputs import Size, fit

MEGAPIXEL = 1024 * 1024
FLUX2_LARGEST = 4 * MEGAPIXEL  # pixels of a result

PER_IMAGE = {
    "flux-kontext-pro": 4.0,
    "flux-kontext-max": 8.0,
    "flux-pro-1.1": 4.0,
    "flux-pro-1.1-ultra": 6.0,
    "flux-pro-1.0-fill": 5.0,
    "flux-pro-1.0-expand": 5.0,  # not in any source; assumed to equal the fill's
    "flux-dev": 2.5,
}
# The first megapixel of the result; each further one and each of the inputs.
PER_MEGAPIXEL = {
    "flux-2-pro": (3.0, 1.5),
    "flux-2-pro-preview": (3.0, 1.5),
    "flux-2-max": (7.0, 3.0),
    "flux-2-flex": (5.0, 5.0),
    "flux-2-klein-4b": (1.4, 0.1),
    "flux-2-klein-9b": (1.5, 0.2),
    "flux-2-klein-9b-preview": (1.5, 0.2),
}


def result_size(request: Schema, inputs: dict[str, Size]) -> Size:
    """Pixels of the result, from the options and the sizes of the input images."""
    first = next(iter(inputs.values()), None)
    match request:
        case Kontext():
            ratio = _ratio(request.aspect_ratio) if request.aspect_ratio else _ratio_of(first)
            return fit(ratio, area=MEGAPIXEL, step=16)
        case Ultra():
            return fit(_ratio(request.aspect_ratio), area=4 * MEGAPIXEL, step=32)
        case Flux2Klein():
            width, height = first or (1024, 1024)
            if width * height > FLUX2_LARGEST:
                width, height = fit(width / height, area=FLUX2_LARGEST, step=16)
            return _grid(request.width or width), _grid(request.height or height)
        case Pro11():
            return request.width, request.height
        case Fill():
            return inputs["image"]
        case Expand():
            width, height = inputs["image"]
            return (
                width + (request.left or 0) + (request.right or 0),
                height + (request.top or 0) + (request.bottom or 0),
            )
    raise TypeError(type(request))


def cost(model: str, *, input_pixels: int, output_pixels: int) -> float:
    """Credits; one is a US cent."""
    if model in PER_IMAGE:
        return PER_IMAGE[model]
    first, further = PER_MEGAPIXEL[model]
    extra = math.ceil(output_pixels / MEGAPIXEL) - 1 + math.ceil(input_pixels / MEGAPIXEL)
    return round(first + extra * further, 2)


def megapixels(pixels: int) -> float:
    return round(pixels / MEGAPIXEL, 2)


def _grid(side: int) -> int:
    return max(64, side // 16 * 16)


def _ratio(text: str) -> float:
    width, _, height = text.partition(":")
    return int(width) / int(height)


def _ratio_of(size: Size | None) -> float:
    return size[0] / size[1] if size else 1.0
