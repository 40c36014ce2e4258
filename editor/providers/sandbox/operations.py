"""The sandbox's operations as frozen data: the parser creates them, `render` executes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rgb = tuple[int, int, int]
Horizontal = Literal["left", "centre", "right"]
Vertical = Literal["top", "centre", "bottom"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A position in the image."""

    vertical: Vertical
    horizontal: Horizontal


@dataclass(frozen=True, slots=True)
class Look:
    """A tone, effect or art filter by its name in `render.FILTERS`; strength 1.0 is normal."""

    name: str
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Recolour:
    """Change one colour into another. `darkest` and `brightest` limit the source's brightness, 0..255."""

    source: Rgb
    target: Rgb
    darkest: int = 0
    brightest: int = 255


@dataclass(frozen=True, slots=True)
class Tint:
    colour: Rgb
    strength: float = 1.0


@dataclass(frozen=True, slots=True)
class Rotate:
    """Clockwise, in degrees. The canvas grows to fit the rotated image; new corners are white."""

    degrees: float


@dataclass(frozen=True, slots=True)
class Flip:
    axis: Literal["horizontal", "vertical"]


@dataclass(frozen=True, slots=True)
class Crop:
    """Crop the centre to this ratio, width to height."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Pad:
    """Add equal margins until the image has this ratio, width to height."""

    width: int
    height: int
    colour: Rgb = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Resize:
    """To pixels (one side alone keeps the proportions, both crop the rest) or by a factor."""

    width: int | None = None
    height: int | None = None
    factor: float | None = None


@dataclass(frozen=True, slots=True)
class Border:
    """Around the image, outside it. `pixels` None: four hundredths of the shorter side times scale."""

    colour: Rgb = (255, 255, 255)
    pixels: int | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True)
class Caption:
    """Text on the image. `size` is a factor; `strip` is the colour of a plain bar behind the text."""

    text: str
    spot: Spot
    colour: Rgb | None = None
    strip: Rgb | None = None
    size: float = 1.0


@dataclass(frozen=True, slots=True)
class Place:
    """Place image number `image` onto image number `onto`, both counted from 1.

    width  share of the lower image's width, 0..1
    """

    image: int
    onto: int
    spot: Spot
    width: float


@dataclass(frozen=True, slots=True)
class SideBySide:
    """All images in one row, in order."""


Operation = (
    Look | Recolour | Tint | Rotate | Flip | Crop | Pad | Resize | Border | Caption | Place | SideBySide
)

# These change the whole canvas, so a mask cannot limit them.
WHOLE_CANVAS = (Rotate, Crop, Pad, Resize, Border, SideBySide)
