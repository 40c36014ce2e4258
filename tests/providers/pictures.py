"""Helpers to make pictures, edit them and inspect the results."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image, ImageChops, ImageStat

from editor.providers.sandbox.parser import parse, parse_poster
from editor.providers.sandbox.render import Output, Recipe, render

SIZE = (240, 160)  # of the photo fixture


def save(image: Image.Image, path: Path) -> Path:
    image.save(path)
    return path


def edit_bytes(
    prompt: str,
    *images: Path,
    mask: Path | None = None,
    seed: int = 1,
    samples: int = 1,
    output: Output | None = None,
) -> list[bytes]:
    work = parse(prompt, images=len(images), masked=mask is not None) if images else parse_poster(prompt)
    recipe = Recipe(work, output or Output(), seed, samples)
    return render(recipe, list(images), mask, report=lambda percent: None)


def edit(prompt: str, *images: Path, mask: Path | None = None, output: Output | None = None) -> Image.Image:
    (content,) = edit_bytes(prompt, *images, mask=mask, output=output)
    return Image.open(io.BytesIO(content))


def opened(path: Path) -> Image.Image:
    return Image.open(path)


def is_grey(image: Image.Image) -> bool:
    red, green, blue = image.convert("RGB").split()
    return (
        not ImageChops.difference(red, green).getbbox() and not ImageChops.difference(green, blue).getbbox()
    )


def same(left: Image.Image, right: Image.Image) -> bool:
    return (
        left.size == right.size
        and not ImageChops.difference(left.convert("RGB"), right.convert("RGB")).getbbox()
    )


def changed_box(before: Image.Image, after: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.difference(before.convert("RGB"), after.convert("RGB")).getbbox()
    assert box is not None
    return box


def mean(image: Image.Image) -> float:
    return ImageStat.Stat(image.convert("L")).mean[0]


def colour_at(image: Image.Image, x: int, y: int) -> tuple[int, int, int]:
    pixel = image.convert("RGB").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return (int(pixel[0]), int(pixel[1]), int(pixel[2]))


def hue_at(image: Image.Image, x: int, y: int) -> int:
    """In degrees."""
    pixel = image.convert("HSV").getpixel((x, y))
    assert isinstance(pixel, tuple)
    return round(pixel[0] * 360 / 256)
