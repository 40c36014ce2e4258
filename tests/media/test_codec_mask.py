"""Masks: white = change, exactly as large as the image."""

from __future__ import annotations

import pytest
from PIL import Image

from editor.media.codec import sanitise_mask
from editor.media.limits import BadImage
from tests.media.pictures import decode, encode


def half_white(width: int, height: int) -> Image.Image:
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 2, height))
    return mask


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_any_format_becomes_a_one_channel_png(pillow_format: str, mode: str) -> None:
    mask = decode(sanitise_mask(encode(half_white(64, 32).convert(mode), pillow_format), 64, 32))

    assert (mask.format, mask.mode, mask.size) == ("PNG", "L", (64, 32))
    assert mask.getpixel((10, 10)) > 250  # type: ignore[operator]
    assert mask.getpixel((50, 10)) < 5  # type: ignore[operator]


def test_transparent_parts_are_kept() -> None:
    painted = Image.new("RGBA", (64, 32), (255, 255, 255, 0))
    painted.paste((255, 255, 255, 255), (0, 0, 32, 32))
    painted.paste((0, 0, 0, 255), (0, 0, 8, 32))
    painted.paste((255, 255, 255, 128), (8, 0, 16, 32))

    mask = decode(sanitise_mask(encode(painted, "PNG"), 64, 32))

    assert [mask.getpixel((x, 16)) for x in (4, 12, 20, 50)] == [0, 128, 255, 0]


def test_a_mask_of_the_same_shape_is_scaled_without_new_greys() -> None:
    mask = decode(sanitise_mask(encode(half_white(300, 200), "PNG"), 600, 400))

    assert mask.size == (600, 400)
    assert mask.getcolors() == [(120_000, 0), (120_000, 255)]


@pytest.mark.parametrize("size", [(800, 534), (449, 300), (3000, 2002), (7, 4)])
def test_a_size_that_was_rounded_still_has_the_same_shape(size: tuple[int, int]) -> None:
    assert decode(sanitise_mask(encode(half_white(*size), "PNG"), 1200, 801)).size == (1200, 801)


@pytest.mark.parametrize("size", [(400, 600), (600, 398), (602, 400), (64, 64)])
def test_another_shape_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(BadImage, match=rf"The mask is {size[0]} x {size[1]} pixels, .* 600 x 400\."):
        sanitise_mask(encode(half_white(*size), "PNG"), 600, 400)


@pytest.mark.parametrize("content", [b"", b"<svg/>", encode(half_white(64, 32), "PNG")[:60]])
def test_a_file_that_is_not_an_image_is_refused(content: bytes) -> None:
    with pytest.raises(BadImage):
        sanitise_mask(content, 64, 32)
