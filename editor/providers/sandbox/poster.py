"""A typographic poster: the sandbox's result for a prompt without an image.

Palette, layout and shapes depend on the seed and the sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from PIL import Image, ImageDraw

from editor.providers.sandbox import pixels, text
from editor.providers.sandbox.operations import Rgb

SUPERSAMPLING = 2  # shapes are drawn larger and scaled down, for smooth edges
LONGEST_HEADLINE = 280  # characters
FOOTER = 0.021  # font size as a share of the shorter side
MARGIN = 0.07  # share of the shorter side
HEADLINE_WEIGHT, FOOTER_WEIGHT = 820, 560
HEADLINE_ROOM = 0.55  # share of the height
LEAST_ART = 0.1  # share of the height; with less room the poster is text only
EVEN_CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Palette:
    ground: Rgb
    ink: Rgb
    first: Rgb
    second: Rgb


PALETTES = (
    Palette((245, 238, 224), (24, 24, 28), (226, 71, 48), (28, 78, 128)),
    Palette((18, 32, 58), (250, 244, 230), (255, 140, 66), (76, 160, 180)),
    Palette((255, 203, 71), (30, 24, 20), (232, 72, 85), (48, 54, 96)),
    Palette((232, 87, 62), (255, 246, 232), (40, 30, 60), (255, 190, 92)),
    Palette((222, 236, 228), (16, 54, 48), (240, 112, 92), (64, 142, 120)),
    Palette((34, 30, 42), (246, 236, 244), (214, 60, 130), (110, 92, 214)),
    Palette((236, 226, 240), (52, 24, 72), (124, 82, 196), (244, 160, 100)),
    Palette((14, 84, 80), (244, 240, 216), (240, 196, 72), (8, 52, 56)),
)


@dataclass(frozen=True, slots=True)
class _Art:
    """The drawing area between headline and footer, in enlarged pixels."""

    draw: ImageDraw.ImageDraw
    width: int
    height: int
    palette: Palette
    rng: Random

    def disc(self, x: float, y: float, radius: float, ink: Rgb) -> None:
        self.draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)


def draw(words: str, *, width: int, height: int, rng: Random, number: str) -> Image.Image:
    """The poster in RGB. `number` is printed small in the footer."""
    palette, shapes = rng.choice(PALETTES), rng.choice(_SHAPES)
    sheet = Image.new("RGB", (width, height), palette.ground)
    margin = round(min(sheet.size) * MARGIN)
    headline_end = _headline(sheet, words, palette, margin)
    footer_start = _footer(sheet, number, palette, margin)
    art_height = footer_start - headline_end - margin
    if art_height >= height * LEAST_ART:
        large = Image.new("RGB", (width * SUPERSAMPLING, art_height * SUPERSAMPLING), palette.ground)
        shapes(_Art(ImageDraw.Draw(large), large.width, large.height, palette, rng))
        sheet.paste(
            large.resize((width, art_height), Image.Resampling.LANCZOS), (0, headline_end + margin // 2)
        )
    return pixels.add_noise(sheet, rng, 2.5, coarse=1.2)


def _headline(sheet: Image.Image, words: str, palette: Palette, margin: int) -> int:
    """Draw a rule and the text below it. Returns the bottom y coordinate."""
    width = sheet.width - 2 * margin
    if len(words) > LONGEST_HEADLINE:
        words = words[: LONGEST_HEADLINE - 1].rstrip() + "…"
    size, lines = text.fit(
        words[:1].upper() + words[1:],
        weight=HEADLINE_WEIGHT,
        largest=round(min(sheet.size) * 0.24),
        fits=lambda block: block[0] <= width and block[1] <= sheet.height * HEADLINE_ROOM,
        wrap_at=width,
    )
    rule = max(2, round(min(sheet.size) * 0.006))
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((margin, margin, sheet.width - margin - 1, margin + rule - 1), fill=palette.ink)
    top = margin + rule + round(margin * 0.35)
    for index, line in enumerate(lines):
        y = top + round(index * size * text.LEADING)
        pen.text((margin, y), line, font=text.font(size, HEADLINE_WEIGHT), fill=palette.ink, anchor="la")
    return top + text.block_size(lines, size, HEADLINE_WEIGHT)[1]


def _footer(sheet: Image.Image, number: str, palette: Palette, margin: int) -> int:
    """Draw two small notes at the bottom. Returns the top y coordinate."""
    size = max(text.SMALLEST_LETTERS, round(min(sheet.size) * FOOTER))
    face = text.font(size, FOOTER_WEIGHT)
    pen = ImageDraw.Draw(sheet)
    foot = sheet.height - round(margin * 0.6)
    pen.text((margin, foot), number, font=face, fill=palette.ink, anchor="ld")
    pen.text((sheet.width - margin, foot), "Built-in sandbox", font=face, fill=palette.ink, anchor="rd")
    return foot - round(size * text.LEADING)


def _sun(art: _Art) -> None:
    """A large disc rising over a band of colour."""
    horizon = art.height * art.rng.uniform(0.68, 0.78)
    radius = min(horizon * 0.92, art.width * 0.3)
    art.disc(art.width * art.rng.uniform(0.3, 0.7), horizon, radius, art.palette.first)
    art.draw.rectangle((0, horizon, art.width, art.height), fill=art.palette.second)


def _rings(art: _Art) -> None:
    """Rings around a point at the bottom, like a record or a drop in water."""
    x = art.width * art.rng.choice((0.2, 0.5, 0.8))
    inks = (art.palette.first, art.palette.ground, art.palette.second, art.palette.ground)
    rings = 8
    for index in range(rings):
        radius = min(art.height * 0.98, art.width * 0.6) * (rings - index) / rings
        art.disc(x, art.height, radius, inks[index % len(inks)])


def _steps(art: _Art) -> None:
    """Columns that rise to one side."""
    columns = art.rng.randint(5, 8)
    rising = art.rng.random() < EVEN_CHANCE
    for index in range(columns):
        rank = index if rising else columns - 1 - index
        ink = (art.palette.first, art.palette.second)[index % 2]
        left, right = art.width * index / columns, art.width * (index + 1) / columns
        art.draw.rectangle((left, art.height * (1 - (rank + 1) / columns), right, art.height), fill=ink)


def _quarters(art: _Art) -> None:
    """A row of tiles, each with a quarter disc at a random rotation."""
    tiles = max(3, round(art.width / min(art.height, art.width / 3)))
    side = art.width / tiles
    top = art.height - side
    for index in range(tiles):
        left = index * side
        front, back = art.rng.sample((art.palette.first, art.palette.second, art.palette.ink), 2)
        art.draw.rectangle((left, top, left + side, art.height), fill=back)
        turn = art.rng.randrange(4)
        # Draw the tile as a separate image, so that the disc is clipped at its edges.
        tile = Image.new("L", (round(side), round(side)))
        x, y = ((0, 0), (side, 0), (side, side), (0, side))[turn]
        ImageDraw.Draw(tile).ellipse((x - side, y - side, x + side, y + side), fill=255)
        art.draw.bitmap((round(left), round(top)), tile, fill=front)


_SHAPES: tuple[Callable[[_Art], None], ...] = (_sun, _rings, _steps, _quarters)
