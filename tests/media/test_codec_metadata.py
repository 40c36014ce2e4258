"""Metadata is applied where it matters, then dropped."""

from __future__ import annotations

import zlib

import pytest
from PIL import ExifTags, Image, ImageCms, PngImagePlugin

from editor.media.codec import sanitise
from editor.media.limits import BadImage
from tests.media.pictures import (
    BLUE,
    GREEN,
    PNG_START,
    RED,
    WHITE,
    close,
    decode,
    encode,
    photo,
    png_chunk,
    quarters,
)

SECRET = b"SECRET-7391"
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><tiff>' + SECRET + b"</tiff></x:xmpmeta>"

# Stored pixels for each orientation; all should be shown as RED GREEN / BLUE WHITE.
STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


def exif(orientation: int | None = None) -> Image.Exif:
    block = Image.Exif()
    if orientation is not None:
        block[ExifTags.Base.Orientation] = orientation
    return block


def private_exif() -> Image.Exif:
    block = exif()
    block[ExifTags.Base.Make] = SECRET.decode()
    gps = block.get_ifd(ExifTags.IFD.GPSInfo)
    gps[ExifTags.GPS.GPSLatitudeRef] = "N"
    gps[ExifTags.GPS.GPSLatitude] = (52.0, 31.0, 12.5)
    return block


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_is_applied(orientation: int, pillow_format: str) -> None:
    turn = STORED_AS[orientation]
    held = quarters() if turn is None else quarters().transpose(turn)

    clean = sanitise(encode(held, pillow_format, exif=exif(orientation), quality=95))

    stored = decode(clean.content)
    assert stored.size == (clean.width, clean.height) == (64, 32)
    corners = [stored.getpixel(spot) for spot in ((5, 5), (58, 5), (5, 26), (58, 26))]
    assert all(close(seen, wanted) for seen, wanted in zip(corners, (RED, GREEN, BLUE, WHITE), strict=True))
    assert not stored.getexif()
    assert decode(clean.thumbnails[160]).size == (64, 32)


def test_an_orientation_that_browsers_do_not_follow_is_ignored() -> None:
    sideways = ' tiff:Orientation="6"'
    xmp = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description{sideways}/></x:xmpmeta>'
    png, in_png = encode(quarters(), "PNG"), exif(6).tobytes().removeprefix(b"Exif\0\0")
    for content in (
        encode(quarters(), "JPEG", xmp=xmp.encode()),
        encode(quarters(), "WEBP", exif=exif(6)),
        png[:-12] + png_chunk(b"eXIf", in_png) + png[-12:],
    ):
        assert decode(content).getexif().get(ExifTags.Base.Orientation) == 6
        assert decode(sanitise(content).content).size == (64, 32)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_an_invalid_orientation_is_ignored(orientation: int) -> None:
    stored = decode(sanitise(encode(quarters(), "PNG", exif=exif(orientation))).content)

    assert stored.getpixel((5, 5)) == RED


@pytest.mark.parametrize(
    "broken", [b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\xff", b"Exif\x00\x00nonsense"]
)
def test_broken_exif_is_accepted(broken: bytes) -> None:
    assert sanitise(encode(quarters(), "JPEG", exif=broken)).width == 64


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
def test_exif_gps_and_xmp_are_removed(pillow_format: str) -> None:
    in_png = PngImagePlugin.PngInfo()
    in_png.add_itxt("XML:com.adobe.xmp", XMP.decode())
    xmp = {"pnginfo": in_png} if pillow_format == "PNG" else {"xmp": XMP}
    content = encode(photo(), pillow_format, exif=private_exif(), **xmp)
    assert decode(content).getexif().get_ifd(ExifTags.IFD.GPSInfo)
    assert content.count(SECRET) == 2

    clean = sanitise(content)

    stored = decode(clean.content)
    assert not stored.getexif()
    assert not stored.getexif().get_ifd(ExifTags.IFD.GPSInfo)
    for file in (clean.content, *clean.thumbnails.values()):
        assert SECRET not in file
        assert b"Exif" not in file
        assert b"xmpmeta" not in file


def test_png_text_chunks_are_removed_before_and_after_the_pixels() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", SECRET.decode())
    texts.add_itxt("Comment", SECRET.decode())
    content = encode(photo(), "PNG", pnginfo=texts)
    content = content[:-12] + png_chunk(b"tEXt", b"Late\x00" + SECRET) + content[-12:]
    assert content.count(SECRET) == 3

    clean = sanitise(content)

    assert SECRET not in clean.content
    assert not decode(clean.content).info


@pytest.mark.parametrize("pillow_format", ["JPEG", "GIF"])
def test_comments_are_removed(pillow_format: str) -> None:
    content = encode(photo(), pillow_format, comment=SECRET)
    assert SECRET in content

    clean = sanitise(content)

    assert SECRET not in clean.content
    assert "comment" not in decode(clean.content).info


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP", "GIF"])
def test_appended_data_is_removed(pillow_format: str) -> None:
    tail = b"<script>alert(1)</script>PK\x05\x06" + SECRET

    clean = sanitise(encode(photo(), pillow_format) + tail)

    assert b"<script" not in clean.content
    assert SECRET not in clean.content


def test_a_script_in_a_jpeg_comment_is_removed() -> None:
    content = encode(photo(), "JPEG", comment=b"*/=1;alert(1);/*<svg onload=alert(1)>")

    clean = sanitise(content)

    assert b"alert" not in clean.content
    assert b"<svg" not in clean.content


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
def test_the_colour_profile_is_removed(pillow_format: str) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = encode(quarters(), pillow_format, icc_profile=srgb, quality=95)
    assert "icc_profile" in decode(content).info

    stored = decode(sanitise(content).content)

    assert "icc_profile" not in stored.info
    assert close(stored.getpixel((5, 5)), RED)


def profile_with_red_and_green_exchanged() -> bytes:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return srgb.replace(b"rXYZ", b"----").replace(b"gXYZ", b"rXYZ").replace(b"----", b"gXYZ")


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
def test_colours_are_converted_from_their_profile_to_srgb(pillow_format: str) -> None:
    content = encode(
        quarters(), pillow_format, icc_profile=profile_with_red_and_green_exchanged(), quality=95
    )

    stored = decode(sanitise(content).content)

    assert close(stored.getpixel((5, 5)), GREEN)
    assert close(stored.getpixel((58, 5)), RED)
    assert close(stored.getpixel((58, 26)), WHITE)


@pytest.mark.parametrize("mode", ["RGBA", "P"])
def test_a_profile_changes_colours_but_not_alpha(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (*RED, 77))
    profile = profile_with_red_and_green_exchanged()
    if mode == "P":
        content = encode(
            image.convert("RGB").quantize(), "PNG", icc_profile=profile, transparency=bytes([77])
        )
    else:
        content = encode(image, "PNG", icc_profile=profile)

    stored = decode(sanitise(content).content)

    assert close(stored.getpixel((4, 4)), (*GREEN, 77), 2)


def test_a_bomb_in_the_colour_profile_is_refused() -> None:
    squeezed = b"x\x00\x00" + zlib.compress(bytes(50_000_000), 9)
    content = encode(quarters(), "PNG")
    header_end = len(PNG_START) + 25

    content = content[:header_end] + png_chunk(b"iCCP", squeezed) + content[header_end:]

    with pytest.raises(BadImage, match="damaged"):
        sanitise(content)
