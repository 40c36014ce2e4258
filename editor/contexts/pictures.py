"""Which file of an image a browser loads: the smallest that is sharp on its screen.

The values are those of the `srcset` and `sizes` attributes of HTML's img.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from editor.media import links
from editor.media.store import ORIGINAL

TILE = 320  # CSS pixels: the widest tile of a grid, except on phones, where two fill the screen


def srcset(files: Sequence[tuple[str, str]], *, width: int, height: int) -> str:
    """Files of an image of that size in pixels, as (variant, URL), smallest first, with their widths.

    Variants are never larger than the image, so several may have its size: the last of them is used.
    """
    urls = {_width(variant, width, height): url for variant, url in files}
    return ", ".join(f"{url} {pixels}w" for pixels, url in urls.items())


@dataclass(frozen=True, slots=True)
class Thumb:
    """A small picture of an image of that size in pixels."""

    thumb_url: str
    thumb_srcset: str
    width: int
    height: int


def thumb(image_id: UUID, *, width: int, height: int) -> Thumb:
    files = [(variant, links.sign(image_id, variant)) for variant in ("160", "512")]
    return Thumb(files[0][1], srcset(files, width=width, height=height), width, height)


def sizes_fitted(*, width: int, height: int, columns: int = 1) -> str:
    """Of an image that is shown whole, as large as the window, or one of its columns, allows."""
    return f"min({100 // columns}vw, {100 * width / height:.0f}vh, {width}px)"


def sizes_covering(*, width: int, height: int) -> str:
    """Of an image that covers a square tile: the longer side of a wide image is cut off."""
    factor = max(1.0, width / height)
    return f"(width < 700px) {50 * factor:.0f}vw, {TILE * factor:.0f}px"


def sizes_in_box(width: int, height: int, *, box_width: int, box_height: int) -> str:
    """Of an image that covers a box of CSS pixels: what is longer than the box is cut off."""
    return f"{math.ceil(max(box_width, box_height * width / height))}px"


def _width(variant: str, width: int, height: int) -> int:
    if variant == ORIGINAL:
        return width
    return max(1, round(width * min(1, int(variant) / max(width, height))))
