"""Colour changes: recolouring and tints. RGB in, RGB of the same size out."""

from __future__ import annotations

import colorsys

from PIL import Image, ImageChops, ImageFilter

from editor.providers.sandbox import pixels
from editor.providers.sandbox.operations import Recolour, Rgb, Tint

NEUTRAL_SATURATION = 40  # of 255: less than this is white, grey or black
WHITE_FROM, BLACK_TO = 190, 70  # brightness of 255
BROWN_TO = 175  # an orange darker than this is called brown

# The hue in degrees at which each named hue ends and the next begins.
HUE_OVERLAP = 7  # degrees
HUE_BORDERS = (16, 44, 68, 165, 198, 262, 292, 342)


def recolour(image: Image.Image, operation: Recolour) -> Image.Image:
    """Give pixels of the source colour the target's, keeping their shading and texture."""
    hue, saturation, value = image.convert("HSV").split()
    chosen = _chosen(hue, saturation, value, operation)
    chosen = chosen.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.0006)))
    changed = _repaint(hue, saturation, value, operation.source, operation.target)
    return Image.composite(changed, image, chosen)


def tint(image: Image.Image, operation: Tint) -> Image.Image:
    """The image as if seen through coloured glass: lightness kept, colours shifted towards one."""
    light = pixels.luminance(image)
    red, green, blue = operation.colour
    dark: Rgb = (red // 5, green // 5, blue // 5)
    pale: Rgb = (pixels.clamp(170 + red / 3), pixels.clamp(170 + green / 3), pixels.clamp(170 + blue / 3))
    toned = pixels.colour_map(light, [(0, dark), (128, operation.colour), (255, pale)])
    return pixels.mix(image, toned, 0.5 * operation.strength)


def _hsv(colour: Rgb) -> tuple[float, float, float]:
    """Hue in degrees, saturation and value 0..255."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(part / 255 for part in colour))
    return hue * 360, saturation * 255, value * 255


def _chosen(
    hue: Image.Image, saturation: Image.Image, value: Image.Image, operation: Recolour
) -> Image.Image:
    """A soft mask of the pixels that a person would call by the source's name."""
    source_hue, source_saturation, source_value = _hsv(operation.source)
    darkest, brightest = operation.darkest, operation.brightest
    if source_saturation < NEUTRAL_SATURATION:
        by_colour = saturation.point(_ramp(until=NEUTRAL_SATURATION + 25, width=30))
        if source_value >= WHITE_FROM:
            darkest = max(darkest, WHITE_FROM - 20)
        elif source_value <= BLACK_TO:
            # The darkest pixels have no reliable saturation: all of them count as black.
            by_colour = ImageChops.lighter(by_colour, value.point(_ramp(until=45, width=20)))
            brightest = min(brightest, BLACK_TO)
        else:
            darkest, brightest = max(darkest, BLACK_TO), min(brightest, WHITE_FROM + 20)
    else:
        low, high = _hue_range(source_hue)
        # Names overlap: a reddish orange is called either.
        by_hue = hue.point(
            [
                pixels.clamp(255 * _inside(level * 360 / 256, low - HUE_OVERLAP, high))
                for level in pixels.LEVELS
            ]
        )
        # A pale red is called pink or skin, not red; other colours keep their names when pale.
        is_red = low < 0 or high > 360
        least = 110 if is_red else 58
        by_colour = ImageChops.multiply(by_hue, saturation.point(_ramp(start=least, width=40)))
        darkest = max(darkest, 28)
        if high == HUE_BORDERS[1]:  # orange and brown share their hue
            if source_value < BROWN_TO:
                brightest = min(brightest, BROWN_TO)
            else:
                darkest = max(darkest, BROWN_TO - 90)
    by_value = value.point(
        [
            min(above, below)
            for above, below in zip(
                _ramp(start=darkest, width=30), _ramp(until=brightest, width=30), strict=True
            )
        ]
    )
    return ImageChops.multiply(by_colour, by_value)


def _hue_range(hue: float) -> tuple[float, float]:
    """The range of the named colour with this hue; red begins below zero."""
    low = HUE_BORDERS[-1] - 360.0
    for border in HUE_BORDERS:
        if hue < border:
            return low, border
        low = border
    return low, HUE_BORDERS[0] + 360.0


def _inside(hue: float, low: float, high: float, *, soft: float = 5) -> float:
    """1 within the range, falling to 0 over `soft` degrees outside it."""
    outside = min(max(low - turned, turned - high, 0.0) for turned in (hue - 360, hue, hue + 360))
    return max(0.0, 1 - outside / soft)


def _ramp(*, start: int | None = None, until: int | None = None, width: int) -> list[int]:
    """A table that rises to 255 at `start`, or falls from 255 at `until`, over `width` levels."""
    if start is not None:
        return pixels.curve(lambda level: 255 * (1 - (start - level) / width) if level < start else 255)
    assert until is not None
    return pixels.curve(lambda level: 255 * (1 - (level - until) / width) if level > until else 255)


def _repaint(
    hue: Image.Image, saturation: Image.Image, value: Image.Image, source: Rgb, target: Rgb
) -> Image.Image:
    """The whole image recoloured as if all of it had the source's colour; the mask selects from it."""
    source_hue, source_saturation, source_value = _hsv(source)
    target_hue, target_saturation, target_value = _hsv(target)
    from_neutral = source_saturation < NEUTRAL_SATURATION
    to_neutral = target_saturation < NEUTRAL_SATURATION

    if from_neutral or to_neutral:
        hues = [round(target_hue * 256 / 360) % 256] * 256
    else:
        # Keep half of the hue's variation within the source's colour: shading stays lively.
        def moved(level: int) -> float:
            away = (level * 360 / 256 - source_hue + 180) % 360 - 180
            return target_hue + away * 0.5

        hues = [round(moved(level) * 256 / 360) % 256 for level in pixels.LEVELS]

    if to_neutral:
        saturations = pixels.curve(lambda level: target_saturation)
    elif from_neutral:
        saturations = pixels.curve(lambda level: target_saturation * 0.9)
    else:
        factor = max(0.35, min(1.6, target_saturation / source_saturation))
        saturations = pixels.curve(lambda level: level * factor)

    if target_value > source_value:
        # Lift the dark end instead of multiplying, which would leave black unchanged.
        lift = (target_value - source_value) / 255
        values = pixels.curve(lambda level: level + (255 - level) * lift * 0.85)
    else:
        drop = max(0.12, target_value / max(1.0, source_value))
        values = pixels.curve(lambda level: level * drop)
    return Image.merge("HSV", (hue.point(hues), saturation.point(saturations), value.point(values))).convert(
        "RGB"
    )
