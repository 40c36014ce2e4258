"""Every accepted format and pixel mode, and how it is stored."""

from __future__ import annotations

import pickle
import struct

import pytest
from PIL import Image, ImageCms

from editor.media.codec import CleanImage, sanitise
from tests.media.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    close,
    decode,
    encode,
    photo,
    png,
    png_chunk,
    quarters,
)


@pytest.mark.parametrize(
    ("pillow_format", "stored_type"),
    [
        ("JPEG", "image/jpeg"),
        ("PNG", "image/png"),
        ("WEBP", "image/webp"),
        ("GIF", "image/png"),
        ("AVIF", "image/jpeg"),
    ],
)
def test_each_format_is_stored_as_expected(pillow_format: str, stored_type: str) -> None:
    clean = sanitise(encode(quarters(), pillow_format))

    stored = decode(clean.content)
    assert clean.content_type == stored_type
    assert Image.MIME[stored.format or ""] == stored_type
    assert stored.size == (clean.width, clean.height) == (64, 32)
    assert close(stored.convert("RGB").getpixel((5, 5)), RED)
    assert close(stored.convert("RGB").getpixel((58, 26)), WHITE)


def test_a_single_pixel_is_enough() -> None:
    clean = sanitise(encode(Image.new("RGB", (1, 1), RED), "PNG"))

    assert (clean.width, clean.height) == (1, 1)


def test_jpeg_is_stored_without_colour_subsampling() -> None:
    stored = decode(sanitise(encode(photo(), "JPEG")).content)

    factors = [layer[1:3] for layer in stored.layer]  # type: ignore[attr-defined]
    assert factors == [(1, 1)] * 3


@pytest.mark.parametrize(
    ("mode", "pillow_format"), [("1", "PNG"), ("L", "PNG"), ("P", "PNG"), ("L", "JPEG"), ("CMYK", "JPEG")]
)
def test_modes_without_alpha_become_rgb(mode: str, pillow_format: str) -> None:
    image = Image.new("RGB", (16, 16), WHITE).convert(mode)

    stored = decode(sanitise(encode(image, pillow_format)).content)

    assert stored.mode == "RGB"
    assert close(stored.getpixel((8, 8)), WHITE, 2)


def test_cmyk_jpeg_keeps_its_colours() -> None:
    stored = decode(sanitise(encode(quarters().convert("CMYK"), "JPEG", quality=95)).content)

    assert close(stored.getpixel((5, 5)), RED)
    assert close(stored.getpixel((5, 26)), BLUE)


def test_a_jpeg_with_several_images_gives_its_first() -> None:
    content = encode(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (64, 32))])

    clean = sanitise(content)

    assert clean.content_type == "image/jpeg"
    assert close(decode(clean.content).getpixel((58, 5)), GREEN)


def test_sixteen_bit_grey_is_scaled_and_not_clipped() -> None:
    rows = b"\x00" + struct.pack(">4H", 0, 16448, 32896, 65535)

    stored = decode(sanitise(png(4, 1, bits=16, colour_type=0, rows=rows)).content)

    assert [stored.getpixel((x, 0)) for x in range(4)] == [(v, v, v) for v in (0, 64, 128, 255)]


def test_sixteen_bit_colour_with_alpha_keeps_both() -> None:
    rows = b"\x00" + struct.pack(">8H", 65535, 0, 0, 32896, 0, 65535, 0, 65535)

    stored = decode(sanitise(png(2, 1, bits=16, colour_type=6, rows=rows)).content)

    assert [stored.getpixel((x, 0)) for x in range(2)] == [(255, 0, 0, 128), (0, 255, 0, 255)]


@pytest.mark.parametrize("pillow_format", ["PNG", "WEBP"])
def test_alpha_is_kept(pillow_format: str) -> None:
    image = Image.new("RGBA", (20, 20), (*GREEN, 255))
    image.paste((*GREEN, 100), (0, 0, 10, 20))

    stored = decode(sanitise(encode(image, pillow_format)).content)

    assert stored.mode == "RGBA"
    assert close(stored.getpixel((3, 10)), (*GREEN, 100), 10)
    assert close(stored.getpixel((16, 10)), (*GREEN, 255), 10)


def test_grey_with_alpha_keeps_it() -> None:
    stored = decode(
        sanitise(
            encode(Image.new("LA", (4, 4), (90, 30)), "PNG"),
        ).content
    )

    assert stored.getpixel((1, 1)) == (90, 90, 90, 30)


@pytest.mark.parametrize("transparency", [0, bytes([0, 255])], ids=["one index", "a value each"])
def test_a_palette_with_transparency_becomes_alpha(transparency: int | bytes) -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([*RED, *BLUE])
    image.putpixel((0, 0), 0)

    stored = decode(sanitise(encode(image, "PNG", transparency=transparency)).content)

    assert stored.mode == "RGBA"
    assert stored.getpixel((0, 0)) == (*RED, 0)
    assert stored.getpixel((1, 1)) == (*BLUE, 255)


def test_a_transparent_colour_becomes_alpha() -> None:
    rows = b"\x00" + bytes([*RED, *BLUE])
    key = png_chunk(b"tRNS", struct.pack(">3H", *RED))

    stored = decode(sanitise(png(2, 1, bits=8, colour_type=2, rows=rows, extra=key)).content)

    assert [stored.getpixel((x, 0)) for x in range(2)] == [(*RED, 0), (*BLUE, 255)]


@pytest.mark.parametrize("pillow_format", ["GIF", "WEBP", "PNG"])
def test_an_animation_gives_its_first_frame(pillow_format: str) -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in (BLUE, RED, GREEN)]
    content = encode(frames[0], pillow_format, save_all=True, append_images=frames[1:], duration=50)

    stored = decode(sanitise(content).content)

    assert getattr(stored, "n_frames", 1) == 1
    assert close(stored.convert("RGB").getpixel((8, 8)), BLUE)


def test_a_transparent_gif_keeps_its_alpha() -> None:
    image = Image.new("P", (4, 2), 1)
    image.putpalette([*RED, *BLUE])
    image.putpixel((0, 0), 0)

    stored = decode(sanitise(encode(image, "GIF", transparency=0)).content)

    assert stored.convert("RGBA").getpixel((0, 0))[3] == 0  # type: ignore[index]
    assert stored.convert("RGBA").getpixel((3, 1)) == (*BLUE, 255)


def test_a_broken_colour_profile_is_ignored() -> None:
    stored = decode(sanitise(encode(quarters(), "PNG", icc_profile=b"no profile")).content)

    assert stored.getpixel((5, 5)) == RED


def test_a_colour_profile_of_another_kind_of_image_is_ignored() -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()

    stored = decode(sanitise(encode(quarters(), "PNG", icc_profile=lab)).content)

    assert stored.getpixel((5, 5)) == RED


@pytest.mark.parametrize(("width", "height"), [(2000, 1000), (700, 1400), (300, 200), (40, 30), (3000, 1)])
def test_every_image_has_all_thumbnails_and_none_is_enlarged(width: int, height: int) -> None:
    clean = sanitise(encode(Image.new("RGB", (width, height), RED), "PNG"))

    assert sorted(clean.thumbnails) == [160, 512, 1280]
    for side, content in clean.thumbnails.items():
        thumbnail = decode(content)
        scale = min(1.0, side / max(width, height))
        assert thumbnail.format == "WEBP"
        assert thumbnail.size == (max(1, round(width * scale)), max(1, round(height * scale)))
        assert close(thumbnail.getpixel((0, 0)), RED)


def test_thumbnails_keep_alpha() -> None:
    clean = sanitise(encode(Image.new("RGBA", (600, 600), (*RED, 0)), "PNG"))

    assert all(decode(content).getpixel((5, 5))[3] == 0 for content in clean.thumbnails.values())  # type: ignore[index]


def test_the_result_can_be_pickled() -> None:
    clean = sanitise(encode(photo(), "PNG"))

    assert pickle.loads(pickle.dumps(clean)) == clean
    assert isinstance(clean, CleanImage)
