"""Captions on images, and typesetting: fonts, line breaks, fitting."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFilter, ImageFont

from editor.providers.sandbox.operations import Caption, Rgb, Spot

Box = tuple[int, int, int, int]  # left, top, right, bottom in pixels

FONT_FILE = Path(__file__).with_name("fonts") / "InterVariable.woff2"  # SIL Open Font License, beside it
OPTICAL_SIZE = 32  # Inter's optical size for large text
BOLD = 750
MEASURED_AT = 64  # font size at which lines are measured; loading each size tried would be slow

CAPTION_HEIGHT = 0.16  # font size as a share of the area's height
CAPTION_LARGEST_BLOCK = 0.5  # all lines together, share of the area's height
CAPTION_WIDTH = 0.9  # longest line, share of the area's width
MARGIN = 0.045  # share of the area's shorter side
LEADING = 1.12  # from one line to the next, in font sizes
SMALLEST_LETTERS = 9  # pixels
LIGHT_FROM = 140  # luminance from which a colour counts as light


@lru_cache(maxsize=64)
def font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    """The bundled typeface. `size` in pixels, `weight` 100..900."""
    face = ImageFont.truetype(FONT_FILE, size)
    face.set_variation_by_axes([OPTICAL_SIZE, weight])
    return face


def missing_letters(text: str) -> set[str]:
    """Characters that the bundled typeface cannot draw."""
    return {letter for letter in set(text) if not letter.isspace() and not _has_letter(letter)}


@lru_cache(maxsize=1024)
def _has_letter(letter: str) -> bool:
    return bytes(font(MEASURED_AT, BOLD).getmask(letter)) != _blank_box()


@cache
def _blank_box() -> bytes:
    """The typeface's glyph for missing characters."""
    return bytes(font(MEASURED_AT, BOLD).getmask("\uffff"))


def caption(image: Image.Image, operation: Caption, area: Box) -> Image.Image:
    """Write the text in the area, with an outline or strip that keeps it legible on any background."""
    left, top, right, bottom = area
    width, height = right - left, bottom - top
    size, lines = fit(
        operation.text,
        weight=BOLD,
        largest=max(SMALLEST_LETTERS, round(height * CAPTION_HEIGHT * operation.size)),
        fits=lambda block: block[0] <= width * CAPTION_WIDTH and block[1] <= height * CAPTION_LARGEST_BLOCK,
        wrap_at=width * CAPTION_WIDTH,
    )
    face = font(size, BOLD)
    ink, edge = _inks(operation)
    outline = 0 if operation.strip is not None else max(1, round(size * 0.045))
    block_width, block_height = block_size(lines, size, BOLD)
    margin = round(min(width, height) * MARGIN) + outline
    x, y = position((block_width, block_height), area, operation.spot, margin=margin)

    result = image.copy()
    if operation.strip is not None:
        bar = (left, max(top, y - margin), right, min(bottom, y + block_height + margin))
        ImageDraw.Draw(result).rectangle((bar[0], bar[1], bar[2] - 1, bar[3] - 1), fill=operation.strip)
    letters = Image.new("L", image.size)
    outlined = Image.new("L", image.size)
    for index, line in enumerate(lines):
        line_x = x + _indent(face, line, block_width, operation.spot)
        line_y = y + round(index * size * LEADING)
        ImageDraw.Draw(letters).text((line_x, line_y), line, font=face, fill=255, anchor="la")
        ImageDraw.Draw(outlined).text(
            (line_x, line_y), line, font=face, fill=255, anchor="la", stroke_width=outline
        )
    if outline:
        shadow = outlined.filter(ImageFilter.GaussianBlur(size * 0.12)).point(lambda level: level * 0.6)
        result.paste(edge, mask=shadow)
        result.paste(edge, mask=outlined)
    result.paste(ink, mask=letters)
    return result


def fit(
    text: str,
    *,
    weight: int,
    largest: int,
    fits: Callable[[tuple[int, int]], bool],
    wrap_at: float,
) -> tuple[int, list[str]]:
    """The largest font size at which the block of text fits, and its lines.

    Never goes below the smallest legible size, even if the text does not fit.
    """
    low, high = SMALLEST_LETTERS, max(SMALLEST_LETTERS, largest)
    best = low, wrap(text, low, weight, wrap_at)
    while low <= high:
        size = (low + high) // 2
        lines = wrap(text, size, weight, wrap_at)
        if fits(block_size(lines, size, weight)):
            best, low = (size, lines), size + 1
        else:
            high = size - 1
    size, lines = best
    return size, _balance(text, lines, size, weight)


def _balance(text: str, lines: list[str], size: int, weight: int) -> list[str]:
    """The same number of lines, of more equal length: no last line with a single short word."""
    narrow, wide = 1.0, _widest(lines, size, weight)
    while wide - narrow > 1:
        width = (narrow + wide) / 2
        tighter = wrap(text, size, weight, width)
        if len(tighter) > len(lines) or _widest(tighter, size, weight) > width:
            narrow = width
        else:
            lines, wide = tighter, width
    return lines


def wrap(text: str, size: int, weight: int, width: float) -> list[str]:
    """Break lines between words. A word wider than a line stays whole."""
    lines: list[str] = []
    for paragraph in text.splitlines():
        line = ""
        for word in paragraph.split():
            longer = f"{line} {word}" if line else word
            if line and length(longer, size, weight) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return lines


def block_size(lines: list[str], size: int, weight: int) -> tuple[int, int]:
    ascent, descent = font(MEASURED_AT, weight).getmetrics()
    height = (len(lines) - 1) * LEADING + (ascent + descent) / MEASURED_AT
    return round(_widest(lines, size, weight)), round(height * size)


def length(line: str, size: int, weight: int) -> float:
    """The length of a line in pixels."""
    return font(MEASURED_AT, weight).getlength(line) * size / MEASURED_AT


def _widest(lines: list[str], size: int, weight: int) -> float:
    return max((length(line, size, weight) for line in lines), default=0.0)


def position(block: tuple[int, int], area: Box, spot: Spot, *, margin: int) -> tuple[int, int]:
    """The top left corner of a block at the spot in the area."""
    left, top, right, bottom = area
    x = {
        "left": left + margin,
        "centre": (left + right - block[0]) // 2,
        "right": right - margin - block[0],
    }[spot.horizontal]
    y = {
        "top": top + margin,
        "centre": (top + bottom - block[1]) // 2,
        "bottom": bottom - margin - block[1],
    }[spot.vertical]
    return x, y


def _indent(face: ImageFont.FreeTypeFont, line: str, block_width: int, spot: Spot) -> int:
    spare = block_width - face.getlength(line)
    return round({"left": 0, "centre": spare / 2, "right": spare}[spot.horizontal])


def _inks(operation: Caption) -> tuple[Rgb, Rgb]:
    """The colours of text and outline. Both are plain greys unless a colour was requested."""
    if operation.colour is not None:
        ink = operation.colour
    elif operation.strip is not None and _is_light(operation.strip):
        ink = (16, 16, 16)
    else:
        ink = (255, 255, 255)
    return ink, (16, 16, 16) if _is_light(ink) else (255, 255, 255)


def _is_light(colour: Rgb) -> bool:
    red, green, blue = colour
    return 0.299 * red + 0.587 * green + 0.114 * blue >= LIGHT_FROM
