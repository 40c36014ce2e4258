"""What is read from the bytes of a file, beside Pillow."""

from __future__ import annotations

import pytest
from PIL import Image

from editor.media import containers
from editor.media.codec import sanitise, verify
from tests.media.pictures import BLUE, RED, decode, encode, photo, quarters


def stripes() -> Image.Image:
    """Columns of one pixel, red and blue: colour subsampling makes them purple."""
    image = Image.new("RGB", (200, 200), RED)
    for x in range(1, 200, 2):
        image.paste(BLUE, (x, 0, x + 1, 200))
    return image


def moving(*, lossless: bool) -> bytes:
    return encode(quarters(), "WEBP", save_all=True, append_images=[photo(64, 32)], lossless=lossless)


def test_a_lossless_webp_is_stored_without_loss() -> None:
    clean = sanitise(encode(stripes(), "WEBP", lossless=True))

    assert clean.content_type == "image/webp"
    assert decode(clean.content).tobytes() == stripes().tobytes()


def test_a_lossless_webp_keeps_the_colours_below_its_transparency() -> None:
    image = Image.new("RGBA", (8, 8), (*RED, 0))

    clean = sanitise(encode(image, "WEBP", lossless=True, exact=True))

    assert decode(clean.content).getpixel((3, 3)) == (*RED, 0)


def test_a_result_that_is_re_encoded_loses_nothing_either() -> None:
    moving = encode(stripes(), "WEBP", save_all=True, append_images=[quarters(200, 200)], lossless=True)

    assert decode(verify(moving).content).tobytes() == stripes().tobytes()


def test_an_avif_of_plain_rgb_is_stored_without_loss() -> None:
    content = encode(photo(), "AVIF", quality=100, subsampling="4:4:4")
    at = content.index(b"colrnclx") + 12
    assert content[at : at + 2] == b"\0\6"
    lossless = content[:at] + b"\0\0" + content[at + 2 :]

    assert (sanitise(content).content_type, sanitise(lossless).content_type) == ("image/jpeg", "image/png")


@pytest.mark.parametrize(
    ("content", "lossless"),
    [
        (encode(photo(), "WEBP", lossless=True), True),
        (encode(photo(), "WEBP"), False),
        (encode(photo().convert("RGBA"), "WEBP", lossless=True), True),
        (encode(Image.new("RGBA", (9, 9), (9, 9, 9, 9)), "WEBP"), False),
        (encode(photo(), "WEBP", lossless=True, icc_profile=b"odd"), True),
        (moving(lossless=True), True),
        (moving(lossless=False), False),
        (encode(photo(), "WEBP", lossless=True)[:20], True),
        (b"RIFF\0\0\0\0WEBP", False),
        (b"", False),
    ],
)
def test_lossless_webp_is_recognised(content: bytes, lossless: bool) -> None:
    assert containers.is_lossless_webp(content) is lossless


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", encode(photo(), "PNG")[:40], b"\xff" * 99])
def test_broken_files_have_no_parts(content: bytes) -> None:
    assert containers.png_chunks(content).get(b"gAMA") is None
    assert containers.nclx(content) is None
