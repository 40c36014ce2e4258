"""Helpers that several operations share. All of them work on whole images in Pillow's C code."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageFilter

from editor.providers.sandbox.operations import Rgb

LEVELS = range(256)


def clamp(value: float) -> int:
    return max(0, min(255, round(value)))


def curve(function: Callable[[float], float]) -> list[int]:
    """A lookup table for one channel, from a function on 0..255."""
    return [clamp(function(level)) for level in LEVELS]


def map_channels(image: Image.Image, red: list[int], green: list[int], blue: list[int]) -> Image.Image:
    return image.point(red + green + blue)


def luminance(image: Image.Image) -> Image.Image:
    return image.convert("L")


def grey_rgb(grey: Image.Image) -> Image.Image:
    """A grey image as RGB, with the three channels equal."""
    return Image.merge("RGB", (grey, grey, grey))


def colour_map(grey: Image.Image, stops: list[tuple[int, Rgb]]) -> Image.Image:
    """Map grey levels to colours, interpolated between the stops (level, colour) in ascending order."""
    tables: tuple[list[int], list[int], list[int]] = ([], [], [])
    for level in LEVELS:
        above = next((index for index, stop in enumerate(stops) if stop[0] >= level), len(stops) - 1)
        below = max(0, above - 1)
        (low, first), (high, second) = stops[below], stops[above]
        share = min(1.0, max(0.0, (level - low) / (high - low))) if high > low else 1.0
        for channel, table in enumerate(tables):
            table.append(clamp(first[channel] + (second[channel] - first[channel]) * share))
    return Image.merge("RGB", tuple(grey.point(table) for table in tables))


def mix(image: Image.Image, changed: Image.Image, share: float) -> Image.Image:
    return Image.blend(image, changed, max(0.0, min(1.0, share)))


def noise(size: tuple[int, int], rng: Random, *, coarse: float = 1.0) -> Image.Image:
    """Grey noise around 128. `coarse` is the size of a speck in pixels.

    Does not use `Image.effect_noise`, which cannot be seeded.
    """
    width, height = max(2, round(size[0] / coarse)), max(2, round(size[1] / coarse))
    speckles = Image.frombytes("L", (width, height), rng.randbytes(width * height))
    return speckles.filter(ImageFilter.GaussianBlur(0.6)).resize(size, Image.Resampling.BICUBIC)


def add_noise(image: Image.Image, rng: Random, amount: float, *, coarse: float = 1.0) -> Image.Image:
    """Add the same noise to each channel, so that grey stays grey. `amount` is in levels."""
    specks = noise(image.size, rng, coarse=coarse)
    lighter = specks.point(curve(lambda level: max(0.0, level - 128) / 64 * amount))
    darker = specks.point(curve(lambda level: max(0.0, 128 - level) / 64 * amount))
    return ImageChops.subtract(ImageChops.add(image, grey_rgb(lighter)), grey_rgb(darker))


def corners(size: tuple[int, int]) -> Image.Image:
    """Grey: 0 in the middle, rising to 255 in the corners."""
    gradient = Image.radial_gradient("L")  # 0 in the middle, 255 at the middle of each side
    inset = 256 * (1 - 2**-0.5) / 2  # so that 255 is reached in the corners
    box = (inset, inset, 256 - inset, 256 - inset)
    return gradient.resize(size, Image.Resampling.BICUBIC, box=box)


def relative(image: Image.Image, share: float, *, least: float = 0.5) -> float:
    """A length in pixels as a share of the longer side, so that effects look alike at any size."""
    return max(least, max(image.size) * share)
