"""Colours named otherwise than by an ICC profile; tests/e2e/test_colours.py compares all ways to Chromium."""

from __future__ import annotations

import struct

import pytest

from editor.media import cicp, icc
from editor.media.codec import sanitise, verify
from editor.media.icc import Curve, Primaries
from tests.media.pictures import decode, png, png_chunk
from tests.media.profiles import ADOBE

GAMMA_1 = png_chunk(b"gAMA", struct.pack(">I", 100_000))
ADOBE_RGB = png_chunk(
    b"cHRM", struct.pack(">8I", 31_270, 32_900, 64_000, 33_000, 21_000, 71_000, 15_000, 6_000)
) + png_chunk(b"gAMA", struct.pack(">I", 45_470))
DISPLAY_P3 = png_chunk(b"cICP", bytes([12, 13, 0, 1]))


def pixel(colour: tuple[int, int, int], chunks: bytes) -> bytes:
    return png(1, 1, bits=8, colour_type=2, rows=b"\0" + bytes(colour), extra=chunks)


@pytest.mark.parametrize(
    ("colour", "chunks", "shown"),
    [
        ((100, 100, 100), GAMMA_1, (168, 168, 168)),
        ((200, 60, 40), ADOBE_RGB, (231, 57, 34)),
        ((200, 60, 40), DISPLAY_P3, (217, 42, 23)),
        ((200, 60, 40), DISPLAY_P3 + GAMMA_1, (217, 42, 23)),
        ((200, 60, 40), png_chunk(b"sRGB", b"\0") + GAMMA_1, (200, 60, 40)),
        ((200, 60, 40), png_chunk(b"cICP", bytes([1, 13, 0, 1])), (200, 60, 40)),
    ],
)
def test_a_png_is_stored_as_browsers_show_it(
    colour: tuple[int, int, int], chunks: bytes, shown: tuple[int, int, int]
) -> None:
    content = pixel(colour, chunks)

    assert decode(sanitise(content).content).getpixel((0, 0)) == shown
    kept = verify(content)
    assert decode(kept.content).getpixel((0, 0)) == shown
    assert (kept.content == content) is (colour == shown)


@pytest.mark.parametrize("gamma", [0, 1, 2**31, 2**32 - 1])
def test_no_gamma_is_too_odd(gamma: int) -> None:
    assert sanitise(pixel((9, 9, 9), png_chunk(b"gAMA", struct.pack(">I", gamma)))).width == 1


@pytest.mark.parametrize(
    "primaries",
    [
        Primaries((0.3127, 0), *((0.64, 0.33), (0.3, 0.6), (0.15, 0.06))),
        Primaries((0.3127, 0.329), *((0.64, 0.33), (0.64, 0.33), (0.15, 0.06))),
        Primaries((0.3127, 0.329), *((5.0, 0.33), (0.3, 0.6), (0.15, 0.06))),
        Primaries((0, 0), *((0, 0), (0, 0), (0, 0))),
    ],
)
def test_primaries_that_span_no_space_are_refused(primaries: Primaries) -> None:
    with pytest.raises(ValueError, match="colour"):
        icc.profile(primaries, Curve(2.2))


def test_the_white_of_a_space_is_the_white_of_the_profile() -> None:
    for row, white in zip(icc.to_d50(ADOBE), (0.9642, 1.0, 0.8249), strict=True):
        assert sum(row) == pytest.approx(white)


def test_code_points_that_browsers_ignore_are_unknown() -> None:
    assert cicp.is_known(12, 13)
    assert not cicp.is_known(2, 13)
    assert not cicp.is_known(12, 2)
    assert cicp.profile(1, 13) is None
