"""Art filters: the image as if drawn, painted or printed. Like the tones: RGB in, RGB of the same size
out."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageMath, ImageOps

from editor.providers.sandbox import pixels
from editor.providers.sandbox.operations import Rgb
from editor.providers.sandbox.tone import Filter

PAINTING_SIDE = 1400  # longest side in pixels of a painting; brush strokes need no more
PIXEL_COLOURS = 16
PAPER: Rgb = (250, 245, 234)

# From dark to light.
POP_PALETTES: tuple[tuple[Rgb, ...], ...] = (
    ((30, 18, 60), (200, 28, 92), (255, 92, 56), (255, 200, 40), (255, 248, 220)),
    ((16, 24, 84), (0, 112, 190), (236, 54, 130), (255, 190, 60), (255, 250, 235)),
    ((24, 20, 37), (98, 44, 168), (0, 168, 168), (255, 214, 64), (255, 255, 240)),
    ((40, 10, 40), (208, 30, 50), (30, 120, 210), (250, 210, 50), (250, 246, 230)),
)
RISO_PINK: Rgb = (255, 72, 120)
RISO_TEAL: Rgb = (0, 131, 138)


def pencil_sketch(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Graphite: lightness divided by its own blur leaves the lines; shadows are hatched in lightly."""
    light = pixels.luminance(image).filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.0009)))
    around = light.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.009, least=1.0)))
    lines = ImageMath.lambda_eval(
        lambda args: args["convert"](args["min"](args["light"] * 256 / (args["around"] + 1), 255), "L"),
        light=light,
        around=around,
    )
    lines = lines.point(pixels.curve(lambda level: 255 * (level / 255) ** (1.6 + 1.2 * strength)))
    shading = around.point(pixels.curve(lambda level: 204 + level * 0.2))
    paper = pixels.noise(image.size, rng, coarse=pixels.relative(image, 1 / 900, least=1.0))
    paper = paper.point(pixels.curve(lambda level: 255 - max(0.0, 150 - level) * 0.18))
    drawing = ImageChops.multiply(ImageChops.multiply(lines, shading), paper)
    return pixels.grey_rgb(drawing)


def ink(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Black ink on cream paper: lines where the lightness changes, and solid shadows."""
    light = ImageOps.autocontrast(pixels.luminance(image), cutoff=1)
    fine = light.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.0022, least=0.7)))
    wide = light.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.0066, least=2.1)))
    push = 3 + 3 * strength
    # What is darker than its surroundings falls to black, what is lighter rises to white.
    drawn = ImageMath.lambda_eval(
        lambda args: args["convert"](
            args["max"](args["min"](args["fine"] * (1 + push) - args["wide"] * push, 255), 0), "L"
        ),
        fine=fine,
        wide=wide,
    )
    drawn = drawn.point(pixels.curve(lambda level: 128 + (level - 56) * 6))
    return pixels.colour_map(drawn.filter(ImageFilter.GaussianBlur(0.6)), [(0, (22, 20, 24)), (255, PAPER)])


def gouache(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Opaque paint: flat strokes with clear edges, fuller colour, a little paper texture."""
    small = image.copy()
    small.thumbnail((PAINTING_SIDE, PAINTING_SIDE), Image.Resampling.LANCZOS)
    radius = max(2, round(max(small.size) * 0.006 * (0.6 + 0.4 * strength)))
    painted = _brush(small, radius)
    # Opaque paint is chalky: even its darks are a colour.
    chalky = pixels.curve(lambda level: 26 + level * 0.9)
    painted = ImageEnhance.Color(pixels.map_channels(painted, chalky, chalky, chalky)).enhance(1.4)
    painted = ImageOps.posterize(painted, 5).filter(ImageFilter.ModeFilter(5))
    painted = painted.filter(ImageFilter.GaussianBlur(0.7))
    tooth = pixels.noise(small.size, rng, coarse=2.2).filter(ImageFilter.EMBOSS)
    painted = ImageChops.soft_light(
        painted, pixels.grey_rgb(tooth.point(pixels.curve(lambda v: 128 + (v - 128) * 0.22)))
    )
    return painted.resize(image.size, Image.Resampling.BICUBIC)


def watercolour(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Transparent washes: pale and uneven, darker at edges where pigment dried, paper in the highlights."""
    small = image.copy()
    small.thumbnail((PAINTING_SIDE, PAINTING_SIDE), Image.Resampling.LANCZOS)
    side = max(small.size)
    radius = max(2, round(side * 0.005 * (0.6 + 0.4 * strength)))
    washed = _brush(small, radius)
    edges = pixels.luminance(washed).filter(ImageFilter.FIND_EDGES).filter(ImageFilter.GaussianBlur(1))
    thin = pixels.curve(lambda level: 255 - (255 - level) * 0.72 * (1 - (level / 255) ** 3 * 0.6))
    washed = ImageEnhance.Color(pixels.map_channels(washed, thin, thin, thin)).enhance(1.35)
    density = ImageChops.blend(
        pixels.noise(small.size, rng, coarse=max(2.0, side * 0.07)),
        pixels.noise(small.size, rng, coarse=max(1.0, side * 0.008)),
        0.35,
    )
    dilution = density.point(pixels.curve(lambda level: (level - 70) * 1.1))
    washed = Image.composite(Image.new("RGB", small.size, PAPER), washed, dilution)
    dried = edges.point(pixels.curve(lambda level: 255 - level * 1.1))
    washed = ImageChops.multiply(washed, pixels.grey_rgb(dried))
    washed = pixels.add_noise(washed, rng, 5, coarse=1.6)
    return washed.resize(image.size, Image.Resampling.BICUBIC)


def pop_art(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Screen print: five flat inks from dark to light, halftone dots where two inks meet."""
    inks = rng.choice(POP_PALETTES)
    light = ImageOps.autocontrast(pixels.luminance(image), cutoff=1)
    light = light.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.0016)))
    cell = max(4, round(pixels.relative(image, 0.0085)))
    dots = _halftone(light.size, cell)
    # The dots shift the lightness before it is divided into inks, so they only show near an edge.
    pushed = ImageChops.add(light, dots, 1.0, -128)
    pushed = ImageChops.blend(light, pushed, 0.34)
    band = 256 / len(inks)
    tables: list[int] = []
    for channel in range(3):
        tables += [inks[min(len(inks) - 1, int(level / band))][channel] for level in pixels.LEVELS]
    printed = pixels.grey_rgb(pushed).point(tables)
    return printed.filter(ImageFilter.GaussianBlur(0.5))


def risograph(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Two inks on paper, printed slightly out of register: pink for what is not green, teal for what is
    not red."""
    lit = ImageOps.autocontrast(image, cutoff=1)
    slip = max(1, round(pixels.relative(image, 0.004)))
    sheet = Image.new("RGB", image.size, PAPER)
    for channel, colour, move in (("G", RISO_PINK, 0), ("R", RISO_TEAL, slip)):
        blank = _shift(lit.getchannel(channel), move, move)
        specks = pixels.noise(image.size, rng, coarse=pixels.relative(image, 1 / 700, least=1.0))
        blank = ImageChops.add(blank, specks.point(pixels.curve(lambda level: level * 0.3)), 1.0, -38)
        blank = blank.point(pixels.curve(lambda level: 128 + (level - 128) * (1.1 + 0.3 * strength)))
        sheet = ImageChops.multiply(sheet, pixels.colour_map(blank, [(0, colour), (255, (255, 255, 255))]))
    return sheet


def pixel_art(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Large squares in a few of the image's colours."""
    block = max(2, round(max(image.size) / 64 * strength))
    small = image.resize(
        (math.ceil(image.width / block), math.ceil(image.height / block)),
        Image.Resampling.BOX,
    )
    small = ImageEnhance.Color(ImageOps.autocontrast(small, cutoff=1)).enhance(1.35)
    small = small.quantize(PIXEL_COLOURS, dither=Image.Dither.NONE).convert("RGB")
    large = small.resize((small.width * block, small.height * block), Image.Resampling.NEAREST)
    return large.crop((0, 0, image.width, image.height))


def _brush(image: Image.Image, radius: int) -> Image.Image:
    """Broad strokes, and finer ones in detailed areas such as a face."""
    fine = _flatten(image, max(1, radius // 3))
    broad = _flatten(_flatten(image, radius), max(1, radius // 2))
    lost = pixels.luminance(ImageChops.difference(fine, broad))
    lost = lost.filter(ImageFilter.BoxBlur(radius)).point(pixels.curve(lambda level: (level - 4) * 16))
    return Image.composite(fine, broad, lost.filter(ImageFilter.GaussianBlur(radius / 2)))


def _flatten(image: Image.Image, radius: int) -> Image.Image:
    """Each pixel gets the mean of the smoothest of eight neighbouring patches.

    The Kuwahara filter, with whole images instead of a loop over pixels: smooths surfaces
    and keeps edges, as a brush does.
    """
    light = pixels.luminance(image)
    mean = image.filter(ImageFilter.BoxBlur(radius))
    unrest = ImageChops.difference(light, light.filter(ImageFilter.BoxBlur(radius)))
    unrest = unrest.point(pixels.curve(lambda level: level * 6)).filter(ImageFilter.BoxBlur(radius))
    result, calmest = mean, unrest
    for step in range(8):
        angle = step * math.pi / 4
        dx, dy = round(radius * math.cos(angle)), round(radius * math.sin(angle))
        patch, patch_unrest = _shift(mean, dx, dy), _shift(unrest, dx, dy)
        calmer = ImageChops.subtract(calmest, patch_unrest).point([0] + [255] * 255)
        result = Image.composite(patch, result, calmer)
        calmest = ImageChops.darker(calmest, patch_unrest)
    return result


def _shift(image: Image.Image, dx: int, dy: int) -> Image.Image:
    """The image moved by dx, dy; areas that would wrap around keep their old pixels."""
    moved = ImageChops.offset(image, dx, dy)
    width, height = image.size
    for box in (
        (0, 0, dx, height) if dx > 0 else (width + dx, 0, width, height),
        (0, 0, width, dy) if dy > 0 else (0, height + dy, width, height),
    ):
        if box[0] < box[2] and box[1] < box[3]:
            moved.paste(image.crop(box), box)
    return moved


def _halftone(size: tuple[int, int], cell: int) -> Image.Image:
    """A screen of round dots at 45 degrees, as grey around 128."""
    dot = Image.radial_gradient("L").resize((cell, cell), Image.Resampling.BICUBIC)
    tile = Image.new("L", (cell * 2, cell * 2))
    for x, y in ((0, 0), (cell, cell)):
        tile.paste(dot, (x, y))
    for x, y in ((cell, 0), (0, cell)):
        tile.paste(ImageOps.invert(dot), (x, y))
    row = Image.new("L", (size[0], cell * 2))
    for x in range(0, size[0], cell * 2):
        row.paste(tile, (x, 0))
    screen = Image.new("L", size)
    for y in range(0, size[1], cell * 2):
        screen.paste(row, (0, y))
    return screen


ART: dict[str, Filter] = {
    "pencil sketch": pencil_sketch,
    "ink": ink,
    "gouache": gouache,
    "watercolour": watercolour,
    "pop art": pop_art,
    "risograph": risograph,
    "pixel art": pixel_art,
}
