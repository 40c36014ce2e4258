"""Tones: light and colour of the whole image. Each takes RGB, a strength (1.0 is normal) and a
random generator, and returns RGB of the same size."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from PIL import Image, ImageChops, ImageEnhance, ImageFilter, ImageOps

from editor.providers.sandbox import pixels

Filter = Callable[[Image.Image, float, Random], Image.Image]

STEP = 0.35  # how much a normal "brighter", "more contrast" or "vivid" adds


def grey(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    # Always fully grey: "slightly black and white" is still black and white.
    return pixels.grey_rgb(pixels.luminance(image))


def sepia(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    toned = pixels.colour_map(
        pixels.luminance(image), [(0, (24, 14, 6)), (120, (150, 108, 72)), (255, (255, 238, 214))]
    )
    return pixels.mix(image, toned, 0.6 + 0.4 * strength)


def warm(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return _balance(image, red=1 + 0.13 * strength, green=1 + 0.03 * strength, blue=1 - 0.16 * strength)


def cool(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return _balance(image, red=1 - 0.16 * strength, green=1 + 0.01 * strength, blue=1 + 0.14 * strength)


def vintage(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Faded film: blacks lifted towards green, yellowed whites, less colour, darker corners, fine grain."""
    faded = ImageEnhance.Color(image).enhance(0.62)
    faded = pixels.map_channels(
        faded,
        pixels.curve(lambda level: 34 + level * 0.88),
        pixels.curve(lambda level: 40 + level * 0.83),
        pixels.curve(lambda level: 46 + level * 0.63),
    )
    faded = darken_corners(faded, 0.35)
    faded = pixels.add_noise(faded, rng, 5, coarse=pixels.relative(image, 1 / 1200, least=1.0))
    return pixels.mix(image, faded, 0.45 + 0.55 * strength)


def brighter(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(1 + STEP * strength)


def darker(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageEnhance.Brightness(image).enhance(max(0.0, 1 - STEP * strength))


def more_contrast(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(1 + STEP * strength)


def less_contrast(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageEnhance.Contrast(image).enhance(max(0.0, 1 - STEP * strength))


def vivid(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    richer = ImageEnhance.Color(image).enhance(1 + 1.5 * STEP * strength)
    return ImageEnhance.Contrast(richer).enhance(1 + 0.08 * strength)


def muted(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageEnhance.Color(image).enhance(max(0.0, 1 - 1.3 * STEP * strength))


def matte(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """No deep black and little colour, as printed on uncoated paper; slightly blue shadows."""
    pale = ImageEnhance.Color(image).enhance(0.42)
    pale = pixels.map_channels(
        pale,
        pixels.curve(lambda level: 58 + level * 0.74),
        pixels.curve(lambda level: 62 + level * 0.73),
        pixels.curve(lambda level: 72 + level * 0.68),
    )
    return pixels.mix(image, pale, 0.4 + 0.6 * strength)


def invert(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return ImageOps.invert(image)


def night(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Dark and blue, while the brightest areas keep a warm glow, like lamps."""
    light = ImageOps.autocontrast(pixels.luminance(image), cutoff=(0, 1))
    moonlit = pixels.colour_map(
        light, [(0, (1, 3, 12)), (90, (12, 26, 66)), (190, (62, 92, 154)), (255, (168, 190, 226))]
    )
    dark = pixels.mix(ImageEnhance.Brightness(image).enhance(0.34), moonlit, 0.64)
    lamps = light.point(pixels.curve(lambda level: max(0.0, level - 200) * 4))
    lamplight = ImageChops.multiply(pixels.grey_rgb(lamps), Image.new("RGB", image.size, (255, 200, 120)))
    glow = lamplight.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.018)))
    lit = ImageChops.screen(ImageChops.screen(dark, ImageEnhance.Brightness(lamplight).enhance(0.5)), glow)
    return pixels.mix(image, darken_corners(lit, 0.6), 0.55 + 0.45 * strength)


def cinematic(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Film grading: shadows towards teal, highlights towards amber, skin and warm colours kept distinct."""
    graded = pixels.colour_map(
        pixels.luminance(image),
        [(0, (0, 18, 30)), (90, (34, 92, 108)), (170, (196, 158, 116)), (255, (255, 240, 212))],
    )
    mixed = pixels.mix(ImageEnhance.Color(image).enhance(0.95), graded, 0.52)
    mixed = darken_corners(ImageEnhance.Contrast(mixed).enhance(1.18), 0.35)
    return pixels.mix(image, mixed, 0.4 + 0.6 * strength)


def golden_hour(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """A low sun from the upper left: everything is warmer, and its light spills in."""
    warmed = warm(image, 1.2, rng)
    # A quarter of the gradient, with its centre in the corner.
    sun = ImageOps.invert(Image.radial_gradient("L")).resize(image.size, box=(128, 128, 256, 256))
    rays = ImageChops.multiply(pixels.grey_rgb(sun), Image.new("RGB", image.size, (255, 168, 62)))
    lit = ImageChops.screen(warmed, ImageEnhance.Brightness(rays).enhance(0.85))
    return pixels.mix(image, lit, 0.4 + 0.6 * strength)


def darken_corners(image: Image.Image, amount: float) -> Image.Image:
    """`amount` is the share of light that the corners lose, 0..1."""
    shade = pixels.corners(image.size).point(
        pixels.curve(lambda level: 255 * (1 - min(1.0, amount) * (level / 255) ** 2.2))
    )
    return ImageChops.multiply(image, pixels.grey_rgb(shade))


def _balance(image: Image.Image, *, red: float, green: float, blue: float) -> Image.Image:
    return pixels.map_channels(
        image,
        pixels.curve(lambda level: level * red),
        pixels.curve(lambda level: level * green),
        pixels.curve(lambda level: level * blue),
    )


TONES: dict[str, Filter] = {
    "grey": grey,
    "sepia": sepia,
    "warm": warm,
    "cool": cool,
    "vintage": vintage,
    "brighter": brighter,
    "darker": darker,
    "more contrast": more_contrast,
    "less contrast": less_contrast,
    "vivid": vivid,
    "muted": muted,
    "matte": matte,
    "invert": invert,
    "night": night,
    "cinematic": cinematic,
    "golden hour": golden_hour,
}
