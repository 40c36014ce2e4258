"""Masks whose transparent pixels mark what may change."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from editor.media import store
from editor.media.limits import BadImage
from editor.media.masks import from_transparency


def png(image: Image.Image, format: str = "PNG") -> bytes:
    buffer = BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def with_hole(alpha: int = 0) -> Image.Image:
    mask = Image.new("RGBA", (4, 2), (200, 100, 0, 255))
    mask.paste((1, 2, 3, alpha), (0, 0, 2, 2))
    return mask


def test_transparent_pixels_become_white() -> None:
    with Image.open(BytesIO(from_transparency(png(with_hole())))) as ours:
        assert (ours.mode, ours.size) == ("L", (4, 2))
        assert [ours.getpixel((x, 0)) for x in range(4)] == [255, 255, 0, 0]


def test_half_transparent_pixels_become_grey() -> None:
    with Image.open(BytesIO(from_transparency(png(with_hole(alpha=155))))) as ours:
        assert ours.getpixel((0, 0)) == 100


def test_a_palette_may_be_transparent_too() -> None:
    mask = Image.new("P", (2, 1), 0)
    mask.putpalette([0, 0, 0, 255, 255, 255])
    mask.putpixel((1, 0), 1)
    mask.info["transparency"] = 1
    with Image.open(BytesIO(from_transparency(png(mask)))) as ours:
        assert [ours.getpixel((x, 0)) for x in range(2)] == [0, 255]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (png(Image.new("RGB", (4, 2))), "has no transparency"),
        (png(with_hole(alpha=255)), "Nothing in the mask is transparent"),
        (png(with_hole(), "WEBP"), "A mask is a PNG"),
        (b"nothing", "not an image"),
        (png(with_hole())[:40], "damaged"),
    ],
)
def test_an_unusable_mask_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(BadImage, match=message):
        from_transparency(content)


async def test_the_work_is_done_in_a_child_process() -> None:
    content = await store.mask_from_transparency(png(with_hole()), tenant="acme")
    assert content == from_transparency(png(with_hole()))
