"""Combines several images into one. RGB or RGBA in, the lower image's mode out."""

from __future__ import annotations

from PIL import Image

from editor.providers.sandbox import geometry
from editor.providers.sandbox.operations import Place
from editor.providers.sandbox.text import Box, position

MARGIN = 0.03  # share of the area's shorter side
TALLEST = 0.94  # share of the area's height


def place(lower: Image.Image, upper: Image.Image, operation: Place, area: Box) -> Image.Image:
    """Paste the upper image into the area of the lower one; its transparent parts stay transparent."""
    left, top, right, bottom = area
    scale = min((right - left) * operation.width / upper.width, (bottom - top) * TALLEST / upper.height)
    size = max(1, round(upper.width * scale)), max(1, round(upper.height * scale))
    patch = upper.resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    margin = round(min(right - left, bottom - top) * MARGIN)
    result = lower.copy()
    if result.mode == "RGBA":
        result.alpha_composite(patch, _inside(position(size, area, operation.spot, margin=margin)))
    else:
        result.paste(patch, position(size, area, operation.spot, margin=margin), patch)
    return result


def side_by_side(images: list[Image.Image]) -> Image.Image:
    """All images at the height of the first, in one row."""
    height = images[0].height
    stretched = sum(image.width * height / image.height for image in images)
    height = geometry.shrink_for(images[0], stretched, height).height
    row = [geometry.resize_to(image.convert("RGBA"), None, height) for image in images]
    width = sum(image.width for image in row)
    geometry.check_size(width, height)
    canvas = Image.new("RGB", (width, height), (255, 255, 255))
    x = 0
    for image in row:
        canvas.paste(image, (x, 0), image)
        x += image.width
    return canvas


def _inside(corner: tuple[int, int]) -> tuple[int, int]:
    return max(0, corner[0]), max(0, corner[1])
