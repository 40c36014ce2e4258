"""A provider's result is checked as strictly as an upload, and kept byte for byte if it is plain."""

from __future__ import annotations

import pytest
from PIL import ExifTags, Image, ImageCms

from editor.media.codec import verify
from editor.media.limits import BadImage
from tests.media.pictures import decode, encode, photo, png_chunk

CREDENTIALS = png_chunk(b"caBX", b"who made this")


@pytest.mark.parametrize("pillow_format", ["JPEG", "PNG", "WEBP"])
def test_a_plain_result_keeps_its_bytes(pillow_format: str) -> None:
    content = encode(photo(), pillow_format)
    checked = verify(content)
    assert checked.content == content
    assert (checked.content_type, checked.width, checked.height) == (f"image/{pillow_format.lower()}", 60, 40)
    assert set(checked.thumbnails) == {160, 512, 1280}


def test_content_credentials_are_kept() -> None:
    content = encode(photo(), "PNG")
    signed = content[:33] + CREDENTIALS + content[33:]
    assert verify(signed).content == signed


def turned() -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    return encode(photo(), "JPEG", exif=exif)


def profiled() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return encode(photo(), "PNG", icc_profile=profile)


def moving() -> bytes:
    return encode(photo(), "WEBP", save_all=True, append_images=[photo().rotate(90)])


@pytest.mark.parametrize("make", [turned, profiled, moving, lambda: encode(photo(), "GIF")])
def test_results_that_browsers_would_show_differently_are_re_encoded(make: object) -> None:
    assert callable(make)
    content = make()
    checked = verify(content)
    assert checked.content != content
    again = decode(checked.content)
    assert getattr(again, "n_frames", 1) == 1
    assert again.size == (checked.width, checked.height)
    assert "icc_profile" not in again.info


@pytest.mark.parametrize("content", [b"<html>", encode(photo(), "PNG")[:200], b"", b"\x00" * 100])
def test_a_file_that_is_not_an_image_is_refused(content: bytes) -> None:
    with pytest.raises(BadImage):
        verify(content)
