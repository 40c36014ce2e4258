"""Effects such as focus and grain. Like the tones: RGB in, RGB of the same size out."""

from __future__ import annotations

import math
from random import Random

from PIL import Image, ImageChops, ImageEnhance, ImageFilter

from editor.providers.sandbox import pixels
from editor.providers.sandbox.tone import Filter, darken_corners


def blur(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.006) * strength))


def soft_focus(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Sharp under a veil of light, with a halo around bright areas, as through a diffusion filter."""
    halo = image.filter(ImageFilter.GaussianBlur(pixels.relative(image, 0.014)))
    glowing = ImageChops.screen(image, ImageEnhance.Brightness(halo).enhance(0.75))
    veil = pixels.curve(lambda level: 36 + level * 0.86)
    return pixels.mix(image, pixels.map_channels(glowing, veil, veil, veil), 0.45 + 0.5 * strength)


def sharpen(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    radius = pixels.relative(image, 0.0012, least=1.0)
    return image.filter(ImageFilter.UnsharpMask(radius=radius, percent=round(130 * strength), threshold=2))


def posterise(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    levels = max(2, min(8, round(5 / max(0.3, strength))))
    calm = image.filter(ImageFilter.MedianFilter(3))
    step = 255 / (levels - 1)
    table = pixels.curve(lambda level: round(level / step) * step)
    return pixels.map_channels(calm, table, table, table)


def pixelate(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    block = max(2, round(max(image.size) / 64 * strength))
    small = image.resize(
        (math.ceil(image.width / block), math.ceil(image.height / block)),
        Image.Resampling.BOX,
    )
    large = small.resize((small.width * block, small.height * block), Image.Resampling.NEAREST)
    return large.crop((0, 0, image.width, image.height))


def vignette(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return darken_corners(image, 0.75 * strength)


def grain(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    return pixels.add_noise(image, rng, 16 * strength, coarse=pixels.relative(image, 1 / 1400, least=1.0))


EFFECTS: dict[str, Filter] = {
    "blur": blur,
    "soft focus": soft_focus,
    "sharpen": sharpen,
    "posterise": posterise,
    "pixelate": pixelate,
    "vignette": vignette,
    "grain": grain,
}
