"""What people have: photographs of phones and cameras, which may be larger than images are kept."""

from __future__ import annotations

import struct
from functools import cache
from pathlib import Path

import pytest
from PIL import ExifTags, Image

from editor.media import limits
from editor.media.codec import sanitise, verify
from editor.media.formats import type_of
from editor.media.limits import UPLOAD, BadImage
from tests.media.pictures import BLUE, GREEN, RED, WHITE, close, decode, encode, photo, png, quarters

FILES = Path(__file__).parent / "files"


def heic(name: str) -> bytes:
    return (FILES / f"{name}.heic").read_bytes()


def corners(image: Image.Image) -> list:
    right, bottom = image.width - 5, image.height - 5
    return [image.getpixel(spot) for spot in ((4, 4), (right, 4), (4, bottom), (right, bottom))]


@pytest.mark.parametrize(
    ("name", "size", "colours"),
    [
        ("plain", (128, 64), (RED, GREEN, BLUE, WHITE)),
        ("turned", (64, 128), (BLUE, RED, WHITE, GREEN)),
        ("display-p3", (64, 64), [(217, 42, 23)] * 4),
        ("ten-bits", (64, 64), [(16, 16, 16), (16, 16, 16), (239, 239, 239), (239, 239, 239)]),
    ],
)
def test_heic_becomes_jpeg(name: str, size: tuple[int, int], colours: list) -> None:
    for clean in (sanitise(heic(name)), verify(heic(name))):
        stored = decode(clean.content)
        assert (clean.content_type, stored.format) == ("image/jpeg", "JPEG")
        assert (clean.width, clean.height) == stored.size == size
        assert all(close(*pair) for pair in zip(corners(stored), colours, strict=True))


@pytest.mark.parametrize("content", [heic("alpha"), encode(Image.new("RGBA", (9, 9)), "AVIF")])
def test_alpha_of_heic_and_avif_is_kept_as_webp(content: bytes) -> None:
    clean = sanitise(content)

    assert clean.content_type == "image/webp"
    assert decode(clean.content).getpixel((1, 1))[3] == 0  # type: ignore[index]


def test_the_brands_of_a_file_decide_and_not_the_first_alone() -> None:
    content = heic("plain")
    assert type_of(content[:8] + b"mif1" + content[12:]) == "image/heic"
    avif = encode(photo(), "AVIF")
    assert type_of(avif[:8] + b"mif1" + avif[12:]) == "image/avif"


@pytest.mark.parametrize("percent", [5, 40, 90])
@pytest.mark.parametrize("name", ["plain", "alpha"])
def test_a_truncated_heic_is_refused(name: str, percent: int) -> None:
    content = heic(name)
    with pytest.raises(BadImage, match="This HEIC image is damaged or incomplete"):
        sanitise(content[: len(content) * percent // 100])


@pytest.mark.parametrize("content", [heic("plain"), encode(quarters(128, 64), "AVIF")])
@pytest.mark.parametrize("side", [9_000, 30_000, 2**31 - 1])
def test_an_enormous_canvas_is_refused(content: bytes, side: int) -> None:
    size = struct.pack(">2I", 128, 64)
    with pytest.raises(BadImage):
        sanitise(content.replace(size, struct.pack(">2I", side, side)))


@cache
def large(pillow_format: str, *, turned: bool = False) -> bytes:
    """A photograph of 26.9 megapixels."""
    exif = Image.Exif()
    if turned:
        exif[ExifTags.Base.Orientation] = 6
    options = {"speed": 10} if pillow_format == "AVIF" else {"quality": 60}
    return encode(quarters(6_720, 4_000), pillow_format, exif=exif, **options) + bytes(200_000)


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_large_photograph_is_made_smaller(pillow_format: str) -> None:
    clean = sanitise(large(pillow_format))

    assert clean.original_size == (6_720, 4_000)
    assert 0.99 * UPLOAD.pixels < clean.width * clean.height <= UPLOAD.pixels
    assert clean.width / clean.height == pytest.approx(6_720 / 4_000, rel=0.001)
    stored = decode(clean.content).convert("RGB")
    assert stored.size == (clean.width, clean.height)
    assert all(close(*pair) for pair in zip(corners(stored), (RED, GREEN, BLUE, WHITE), strict=True))


def test_a_large_photograph_that_was_held_sideways_is_upright() -> None:
    clean = sanitise(large("JPEG", turned=True))

    assert clean.width < clean.height
    assert clean.original_size == (6_720, 4_000)


def test_a_long_panorama_fits_in_both_ways() -> None:
    clean = sanitise(encode(Image.linear_gradient("L").resize((20_000, 300)), "JPEG"))

    assert (clean.width, clean.height) == (16_384, 245)


@pytest.mark.parametrize("mode", ["P", "LA"])
def test_a_large_image_of_few_colours_is_made_smaller_too(mode: str) -> None:
    content = encode(quarters(6_720, 4_000).convert(mode), "PNG", compress_level=1)
    clean = sanitise(content + bytes(200_000))

    assert clean.width * clean.height <= UPLOAD.pixels
    first, *_, last = corners(decode(clean.content).convert("RGB"))
    assert (close(first, RED), close(last, WHITE)) == (mode == "P", True)


def test_an_image_within_the_limits_keeps_its_size() -> None:
    assert sanitise(encode(photo(), "JPEG")).original_size is None


def test_a_large_result_keeps_its_size() -> None:
    assert verify(large("JPEG")).width == 6_720


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [(10_000, 10_000, "but for photographs"), (11_000, 10_000, "the limit is 105 megapixels")],
)
def test_a_bomb_is_no_photograph(width: int, height: int, reason: str) -> None:
    with pytest.raises(BadImage, match=reason):
        sanitise(png(width, height, bits=8, colour_type=2, rows=bytes((1 + 3 * width) * height)))


def test_limits_fit_every_shape() -> None:
    for width, height in ((5_001, 5_000), (16_385, 1), (1, 65_000), (11_600, 8_700), (60_000, 1_700)):
        assert limits.UPLOAD.hold(*limits.UPLOAD.fit(width, height))
