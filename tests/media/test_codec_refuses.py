"""What is refused, and with which message. No error but BadImage is ever raised."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from editor.errors import InvalidInput
from editor.media import limits
from editor.media.codec import identify_upload, sanitise
from editor.media.limits import BadImage
from tests.media.pictures import PNG_START, decode, encode, photo, png, png_chunk

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")


@cache
def sample(pillow_format: str) -> bytes:
    return encode(photo(), pillow_format)


def iso_media(brand: bytes) -> bytes:
    return struct.pack(">I", 24) + b"ftyp" + brand + bytes(12)


def webp_with_canvas(width: int, height: int) -> bytes:
    """A few bytes of image in a canvas of any size."""
    canvas = bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    body = b"WEBPVP8X" + struct.pack("<I", 10) + canvas + sample("WEBP")[12:]
    return b"RIFF" + struct.pack("<I", len(body)) + body


def test_the_refusal_is_invalid_input() -> None:
    assert issubclass(BadImage, InvalidInput)
    assert BadImage("").status == 400


def test_an_empty_file() -> None:
    with pytest.raises(BadImage, match=r"The file is empty\."):
        sanitise(b"")


def test_a_file_of_too_many_bytes() -> None:
    with pytest.raises(BadImage, match=r"is 25\.5 MiB; the limit is 25 MiB"):
        sanitise(sample("JPEG") + bytes(limits.MAX_BYTES + limits.MAX_BYTES // 50))


def test_a_file_of_the_maximum_size_is_accepted() -> None:
    content = sample("JPEG")

    assert identify_upload(content + bytes(limits.MAX_BYTES - len(content))) == "image/jpeg"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (iso_media(b"heic"), "This HEIC image is damaged or incomplete"),
        (iso_media(b"mif1"), "This is not an image that can be opened here"),
        (iso_media(b"avif"), "This AVIF image is damaged or incomplete"),
        (b"\xff\x0a", "JPEG XL images are not supported"),
        (b"II*\x00\x08\x00\x00\x00", "TIFF images are not supported"),
        (b"MM\x00*\x00\x00\x00\x08", "TIFF images are not supported"),
        (b"BM\x46\x00\x00\x00", "BMP images are not supported"),
        (b"%PDF-1.7\n", "This is a PDF file, not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG images are not supported"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><!DOCTYPE svg><SVG onload=alert(1)>", "SVG images"),
        (b"<!-- hello --><svg/>", "SVG images are not supported"),
        (b"<!DOCTYPE html><title>x</title>", "This is a HTML file, not an image"),
        (b"  <html><svg></svg>", "This is a HTML file, not an image"),
        (b"<script>alert(1)</script>", "This is a HTML file, not an image"),
        (iso_media(b"mp42"), "This is not an image that can be opened here"),
        (b"hello", "This is not an image that can be opened here"),
        (b"\x00", "This is not an image that can be opened here"),
        (b"RIFF\x00\x00\x00\x00WAVE", "This is not an image that can be opened here"),
    ],
)
def test_other_kinds_of_files_are_named_in_the_message(content: bytes, reason: str) -> None:
    with pytest.raises(BadImage) as refusal:
        sanitise(content)

    assert refusal.value.message.startswith(reason)


@pytest.mark.parametrize("pillow_format", ["TIFF", "BMP", "ICO", "PPM", "TGA", "PCX", "JPEG2000"])
def test_pillow_opens_no_other_format(pillow_format: str) -> None:
    with pytest.raises(BadImage, match=r"not supported|not an image"):
        sanitise(encode(photo(), pillow_format))


@pytest.mark.parametrize(
    ("width", "height", "reason"),
    [
        (65_501, 1, "65501 x 1 pixels"),
        (1, 65_501, "1 x 65501 pixels"),
        (5001, 5000, r"5001 x 5000 pixels \(25\.0 megapixels\); the limit is 25 megapixels and 16384"),
        (10_000, 10_000, r"100\.0 megapixels"),
        (30_000, 30_000, "too many pixels"),
        (2**31 - 1, 2**31 - 1, "too many pixels"),
    ],
)
def test_too_many_pixels_are_refused_from_the_header(width: int, height: int, reason: str) -> None:
    content = png(width, height, bits=1, colour_type=0, rows=b"\x00")

    with pytest.raises(BadImage, match=reason):
        sanitise(content)


@pytest.mark.parametrize(("width", "height"), [(16_384, 1), (1, 16_384)])
def test_the_longest_allowed_side_is_accepted(width: int, height: int) -> None:
    clean = sanitise(encode(Image.new("L", (width, height)), "PNG"))

    assert (clean.width, clean.height) == (width, height)


def test_an_image_without_pixels() -> None:
    with pytest.raises(BadImage):
        sanitise(png(0, 0, bits=8, colour_type=2, rows=b""))


def test_a_png_bomb_is_refused_before_a_pixel_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    row = bytes(1 + 30_000 // 8)
    squeezer = zlib.compressobj(9)
    pixels = b"".join(squeezer.compress(row) for _ in range(30_000)) + squeezer.flush()
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 1, 0, 0, 0, 0)
    bomb = PNG_START + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
    assert len(bomb) < 200_000
    loaded: list[ImageFile.ImageFile] = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", loaded.append)

    with pytest.raises(BadImage, match="too many pixels"):
        sanitise(bomb)

    assert loaded == []


def test_a_bomb_of_text_is_refused() -> None:
    text = png_chunk(b"zTXt", b"Comment\x00\x00" + zlib.compress(bytes(100_000_000), 9))

    with pytest.raises(BadImage):
        sanitise(png(1, 1, bits=8, colour_type=0, rows=b"\x00\x00", extra=text))


def test_more_rows_than_the_header_announces_do_no_harm() -> None:
    content = png(2, 2, bits=8, colour_type=0, rows=bytes(50_000_000))

    assert sanitise(content).width == 2


@pytest.mark.parametrize(("width", "height"), [(5001, 5001), (16_384, 16_384), (2**24, 255)])
def test_a_webp_with_a_huge_canvas(width: int, height: int) -> None:
    with pytest.raises(BadImage):
        sanitise(webp_with_canvas(width, height))


def test_a_gif_whose_frame_is_larger_than_its_screen() -> None:
    content = bytearray(encode(Image.new("P", (8, 8)), "GIF"))
    descriptor = content.index(b"\x2c", 13)
    content[descriptor + 5 : descriptor + 9] = struct.pack("<HH", 60_000, 60_000)

    with pytest.raises(BadImage):
        sanitise(bytes(content))


@pytest.mark.parametrize("pillow_format", FORMATS)
@pytest.mark.parametrize("percent", [1, 5, 10, 25, 50, 75, 90])
def test_a_truncated_file(pillow_format: str, percent: int) -> None:
    content = encode(photo(300, 200), pillow_format)

    with pytest.raises(BadImage):
        sanitise(content[: len(content) * percent // 100])


def test_a_truncated_progressive_jpeg() -> None:
    content = encode(photo(300, 200), "JPEG", progressive=True)

    with pytest.raises(BadImage, match="This JPEG image is damaged or incomplete"):
        sanitise(content[: len(content) // 2])


@pytest.mark.parametrize("pillow_format", FORMATS)
def test_a_start_without_an_image(pillow_format: str) -> None:
    with pytest.raises(BadImage, match="damaged or incomplete"):
        sanitise(sample(pillow_format)[:12] + b"<svg onload=alert(1)>" * 20)


def survives(content: bytes) -> None:
    """Either refused as BadImage, or a valid image within the limits."""
    try:
        clean = sanitise(content)
    except BadImage as refusal:
        assert refusal.message.endswith((".", "smaller."))
        return
    assert decode(clean.content).size == (clean.width, clean.height)
    assert clean.width * clean.height <= limits.UPLOAD.pixels


@given(st.binary(max_size=300))
@settings(max_examples=200)
def test_arbitrary_bytes(content: bytes) -> None:
    survives(content)


@given(
    st.sampled_from(
        [b"\xff\xd8\xff", PNG_START, b"GIF89a", b"RIFF\x30\x01\x00\x00WEBP", b"RIFF\x30\x01\x00\x00WEBPVP8X"]
    ),
    st.binary(max_size=300),
)
@settings(max_examples=200)
def test_arbitrary_bytes_after_the_start_of_an_image(start: bytes, content: bytes) -> None:
    survives(start + content)


@given(
    st.sampled_from(FORMATS),
    st.lists(st.tuples(st.integers(0, 2**16), st.binary(min_size=1, max_size=4)), max_size=3),
    st.just(0) | st.integers(1, 100),
)
@settings(max_examples=300)
def test_mutated_and_cut_images(
    pillow_format: str, changes: list[tuple[int, bytes]], missing_percent: int
) -> None:
    content = bytearray(sample(pillow_format))
    for position, replacement in changes:
        at = position % len(content)
        content[at : at + len(replacement)] = replacement
    del content[len(content) - len(content) * missing_percent // 200 :]
    survives(bytes(content))
