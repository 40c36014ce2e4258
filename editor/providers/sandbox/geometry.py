"""Changes of the canvas's shape and size. RGB or RGBA in, the same mode out."""

from __future__ import annotations

import math

from PIL import Image, ImageOps

from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import Border, Crop, Flip, Pad, Resize, Rgb, Rotate

MOST_PIXELS = 25_000_000
LONGEST_SIDE = 16384
BORDER_SHARE = 0.04  # of the shorter side

_QUARTERS = {
    90: Image.Transpose.ROTATE_270,  # Pillow counts counterclockwise
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


def rotate(image: Image.Image, operation: Rotate) -> Image.Image:
    degrees = operation.degrees % 360
    if degrees == 0:
        return image
    if degrees in _QUARTERS:
        return image.transpose(_QUARTERS[int(degrees)])
    sine, cosine = (abs(part(math.radians(degrees))) for part in (math.sin, math.cos))
    width, height = image.size
    image = shrink_for(image, width * cosine + height * sine, width * sine + height * cosine)
    return image.rotate(
        -degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_ink((255, 255, 255), image.mode)
    )


def flip(image: Image.Image, operation: Flip) -> Image.Image:
    return ImageOps.mirror(image) if operation.axis == "horizontal" else ImageOps.flip(image)


def crop(image: Image.Image, operation: Crop) -> Image.Image:
    width, height = fit_inside(image.size, operation.width, operation.height)
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def pad(image: Image.Image, operation: Pad) -> Image.Image:
    """The smallest canvas of the ratio that holds the image."""
    image = shrink_for(
        image,
        max(image.width, image.height * operation.width / operation.height),
        max(image.height, image.width * operation.height / operation.width),
    )
    width = max(image.width, round(image.height * operation.width / operation.height))
    height = max(image.height, round(image.width * operation.height / operation.width))
    return _on_canvas(image, width, height, operation.colour)


def resize(image: Image.Image, operation: Resize) -> Image.Image:
    if operation.factor is not None:
        width, height = image.width * operation.factor, image.height * operation.factor
        return _scale(image, max(1, round(width)), max(1, round(height)))
    return resize_to(image, operation.width, operation.height)


def resize_to(image: Image.Image, width: int | None, height: int | None) -> Image.Image:
    """Resize to these pixels: one side alone keeps the proportions; both fill the size and crop the rest."""
    if width is None and height is None:
        return image
    if height is None and width is not None:
        return _scale(image, width, max(1, round(image.height * width / image.width)))
    if width is None and height is not None:
        return _scale(image, max(1, round(image.width * height / image.height)), height)
    assert width is not None
    assert height is not None
    check_size(width, height)
    return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)


def border(image: Image.Image, operation: Border) -> Image.Image:
    pixels = operation.pixels
    if pixels is None:
        pixels = max(1, round(min(image.size) * BORDER_SHARE * operation.scale))
    room = shrink_for(image, image.width + 2 * pixels, image.height + 2 * pixels)
    pixels, image = round(pixels * room.width / image.width), room
    return _on_canvas(image, image.width + 2 * pixels, image.height + 2 * pixels, operation.colour)


def fit_inside(size: tuple[int, int], width: int, height: int) -> tuple[int, int]:
    """The largest size with the ratio width to height that fits in `size`."""
    wide = min(size[0], round(size[1] * width / height))
    high = min(size[1], round(size[0] * height / width))
    return max(1, wide), max(1, high)


def _scale(image: Image.Image, width: int, height: int) -> Image.Image:
    check_size(width, height)
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _on_canvas(image: Image.Image, width: int, height: int, colour: Rgb) -> Image.Image:
    check_size(width, height)
    canvas = Image.new(image.mode, (width, height), _ink(colour, image.mode))
    canvas.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return canvas


def _ink(colour: Rgb, mode: str) -> tuple[int, ...]:
    return (*colour, 255) if mode == "RGBA" else colour


def shrink_for(image: Image.Image, width: float, height: float) -> Image.Image:
    """The image, shrunk if a canvas of width x height would exceed the portal's limits."""
    factor = min(1.0, (MOST_PIXELS / (width * height)) ** 0.5, LONGEST_SIDE / max(width, height))
    if factor == 1:
        return image
    # Slightly less, so that rounding up to whole pixels stays within the limit.
    factor *= 0.998
    size = max(1, int(image.width * factor)), max(1, int(image.height * factor))
    return image.resize(size, Image.Resampling.LANCZOS)


def check_size(width: int, height: int) -> None:
    """Raise Refused if the canvas would exceed the portal's limits."""
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise Refused(
            f"The result would be {width}x{height} pixels. At most 25 megapixels and {LONGEST_SIDE} pixels "
            "a side are possible."
        )
