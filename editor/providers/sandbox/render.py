"""Executes parsed operations: image files in, encoded images out. Runs in a child process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Literal

from PIL import Image, ImageOps, UnidentifiedImageError

from editor.providers.sandbox import art, colour, compose, effects, geometry, pixels, poster, text, tone
from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import (
    Border,
    Caption,
    Crop,
    Flip,
    Look,
    Operation,
    Pad,
    Place,
    Recolour,
    Resize,
    Rotate,
    SideBySide,
    Tint,
)
from editor.providers.sandbox.parser import Poster

FILTERS: dict[str, tone.Filter] = {**tone.TONES, **effects.EFFECTS, **art.ART}
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
STRENGTH_JITTER = 0.15  # of all samples but the first, in either direction
GAMMA_JITTER = 0.07
POSTER_PIXELS = 1024 * 1024
SIZE_STEP = 16  # sides of a poster are multiples of this


@dataclass(frozen=True, slots=True)
class Output:
    """The result's format and size. None: as the first image."""

    format: Literal["png", "jpeg"] = "png"
    ratio: tuple[int, int] | None = None
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines the result, besides the images."""

    work: tuple[Operation, ...] | Poster
    output: Output
    seed: int
    samples: int = 1


def render(
    recipe: Recipe, images: list[Path], mask: Path | None, *, report: Callable[[int], None]
) -> list[bytes]:
    """One encoded image per sample. The same recipe and images give the same bytes.

    Raises Refused for an unreadable image, or a result that would be too large.
    """
    results: list[bytes] = []
    for sample in range(recipe.samples):

        def advance(share: float, done: int = sample) -> None:
            report(round(100 * (done + share) / recipe.samples))

        if isinstance(recipe.work, Poster):
            result = _poster(recipe, recipe.work, sample)
        else:
            result = _edit(recipe, recipe.work, images=images, mask_file=mask, sample=sample, advance=advance)
        results.append(_encode(result, recipe.output.format))
        advance(1.0)
    return results


def _edit(
    recipe: Recipe,
    operations: tuple[Operation, ...],
    *,
    images: list[Path],
    mask_file: Path | None,
    sample: int,
    advance: Callable[[float], None],
) -> Image.Image:
    original = _shape(_open(images[0], "image 1"), recipe.output)
    mask = _open_mask(mask_file, recipe.output, original.size) if mask_file is not None else None
    current = original
    if sample:
        current = _on_colours(current, lambda rgb: _vary_light(rgb, _chance(recipe, sample, -1)))
    for index, operation in enumerate(operations):
        area = (mask.getbbox() if mask is not None else None) or (0, 0, *current.size)
        rng = _chance(recipe, sample, index)
        varied = _vary_strength(operation, rng) if sample else operation
        current = _apply(current, varied, images=images, area=area, rng=rng)
        advance((index + 1) / (len(operations) + 1))
    if mask is not None:
        current = Image.composite(current, original.convert(current.mode), mask)
    return current


_ON_COLOURS: dict[type[Operation], Callable[[Image.Image, Any], Image.Image]] = {
    Recolour: colour.recolour,
    Tint: colour.tint,
}
_ON_CANVAS: dict[type[Operation], Callable[[Image.Image, Any], Image.Image]] = {
    Rotate: geometry.rotate,
    Flip: geometry.flip,
    Crop: geometry.crop,
    Pad: geometry.pad,
    Resize: geometry.resize,
    Border: geometry.border,
}


def _apply(
    image: Image.Image, operation: Operation, *, images: list[Path], area: text.Box, rng: Random
) -> Image.Image:
    match operation:
        case Look(name, strength):
            return _on_colours(image, lambda rgb: FILTERS[name](rgb, strength, rng))
        case Caption():
            return text.caption(image, operation, area)
        case Place():
            return _place(image, operation, images, area)
        case SideBySide():
            others = [_open_numbered(images, number) for number in range(2, len(images) + 1)]
            return compose.side_by_side([image, *others])
        case Recolour() | Tint():
            return _on_colours(image, lambda rgb: _ON_COLOURS[type(operation)](rgb, operation))
        case _:
            return _ON_CANVAS[type(operation)](image, operation)


def _place(image: Image.Image, operation: Place, images: list[Path], area: text.Box) -> Image.Image:
    """Image 1 is the current state of the edit, whether it is the lower or the upper image."""
    upper = image if operation.image == 1 else _open_numbered(images, operation.image)
    if operation.onto == 1:
        return compose.place(image, upper, operation, area)
    lower = _open_numbered(images, operation.onto)
    return compose.place(lower, upper, operation, (0, 0, *lower.size))


def _poster(recipe: Recipe, wanted: Poster, sample: int) -> Image.Image:
    width, height = _poster_size(recipe.output)
    sheet = poster.draw(
        wanted.text,
        width=width,
        height=height,
        rng=_chance(recipe, sample, -1),
        number=f"No. {recipe.seed}" if recipe.samples == 1 else f"No. {recipe.seed} / {sample + 1}",
    )
    for index, look in enumerate(wanted.looks):
        sheet = FILTERS[look.name](sheet, look.strength, _chance(recipe, sample, index))
    return sheet


def _poster_size(output: Output) -> tuple[int, int]:
    """The requested size, or about one megapixel of the requested ratio."""
    across, down = output.ratio or (output.width or 1, output.height or 1)
    if output.ratio is None and (output.width is None or output.height is None):
        across = down = 1
    if output.width is not None:
        return output.width, output.height or _step(output.width * down / across)
    if output.height is not None:
        return _step(output.height * across / down), output.height
    return _step((POSTER_PIXELS * across / down) ** 0.5), _step((POSTER_PIXELS * down / across) ** 0.5)


def _step(length: float) -> int:
    return max(SIZE_STEP, round(length / SIZE_STEP) * SIZE_STEP)


def _chance(recipe: Recipe, sample: int, index: int) -> Random:
    """Randomness that depends only on seed, sample and step, so that a repeat gives the same bytes."""
    return Random(f"{recipe.seed}/{sample}/{index}")  # noqa: S311 - for looks, not for secrets


def _vary_strength(operation: Operation, rng: Random) -> Operation:
    if not isinstance(operation, Look):
        return operation
    jitter = 1 + rng.uniform(-STRENGTH_JITTER, STRENGTH_JITTER)
    return replace(operation, strength=operation.strength * jitter)


def _vary_light(image: Image.Image, rng: Random) -> Image.Image:
    """Slightly lighter or darker, the same in each channel: the difference between samples."""
    gamma = 1 + rng.choice((-1, 1)) * rng.uniform(GAMMA_JITTER / 2, GAMMA_JITTER)
    table = pixels.curve(lambda level: 255 * (level / 255) ** gamma)
    return pixels.map_channels(image, table, table, table)


def _on_colours(image: Image.Image, change: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """Change the colours and keep the transparency."""
    if image.mode == "RGB":
        return change(image)
    changed = change(image.convert("RGB"))
    changed.putalpha(image.getchannel("A"))
    return changed


def _shape(image: Image.Image, output: Output) -> Image.Image:
    """Apply the ratio and size of the inputs. Those in the prompt are applied later and win."""
    if output.ratio is not None:
        image = geometry.crop(image, Crop(*output.ratio))
    return geometry.resize_to(image, output.width, output.height)


def _open_numbered(images: list[Path], number: int) -> Image.Image:
    return _open(images[number - 1], f"image {number}")


def _open(path: Path, name: str) -> Image.Image:
    """RGB, or RGBA if anything is transparent."""
    try:
        with Image.open(path, formats=FORMATS) as file:
            geometry.check_size(*file.size)
            upright = ImageOps.exif_transpose(file)
            return upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise Refused(f"The file of {name} cannot be read as an image.") from error


def _open_mask(path: Path, output: Output, size: tuple[int, int]) -> Image.Image:
    """Grey, white where the edit may change the image; transparent counts as black."""
    mask = _open(path, "the mask")
    if mask.mode == "RGBA":
        black = Image.new("RGBA", mask.size, (0, 0, 0, 255))
        mask = Image.alpha_composite(black, mask)
    mask = _shape(mask, output).convert("L")
    return mask if mask.size == size else mask.resize(size, Image.Resampling.BILINEAR)


def _encode(image: Image.Image, file_format: str) -> bytes:
    buffer = io.BytesIO()
    if file_format == "jpeg":
        if image.mode == "RGBA":
            white = Image.new("RGBA", image.size, (255, 255, 255, 255))
            image = Image.alpha_composite(white, image)
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling=0)
    else:
        # Fast rather than small.
        image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
