"""Colours of a high dynamic range (PQ, HLG), as Chromium shows them on usual screens. No Django.

The two curves are those of ITU-R BT.2100. How the range is compressed is measured: Chromium 150 shows
203 nits as half of the screen's light and 1000 as all of it, by the largest of the three values in BT.2020.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache
from itertools import pairwise, product
from math import exp

from editor.media import icc
from editor.media.icc import BT709, BT2020, Primaries, Vector

PQ, HLG = 16, 18  # transfer characteristics of ITU-T H.273

_GRID = 33  # points of the table on each axis
_HLG_PEAK = 1000.0  # nits
_LUMINANCE: Vector = (0.2627, 0.678, 0.0593)  # of BT.2020
# Nits -> share of the screen's white; straight lines in between.
_SHOWN = (
    (0.0, 0.0),
    (215.0, 0.53),
    (262.8, 0.604),
    (316.2, 0.668),
    (379.9, 0.727),
    (456.0, 0.781),
    (546.9, 0.833),
    (655.5, 0.884),
    (785.2, 0.935),
    (940.1, 0.983),
    (1000.0, 1.0),
)
_NITS = [nits for nits, _ in _SHOWN]
_SLOPES = [(b - a) / (y - x) for (x, a), (y, b) in pairwise(_SHOWN)]


@cache
def profile(primaries: Primaries, transfer: int) -> bytes:
    """The ICC profile from stored RGB to what is shown. `transfer` is PQ or HLG. Takes a second to make."""
    to_wide = icc.product(icc.inverse(icc.to_d50(BT2020)), icc.to_d50(primaries))
    to_screen = icc.product(icc.inverse(icc.to_d50(BT709)), icc.to_d50(BT2020))
    to_xyz = icc.to_d50(BT709)
    light = [_light(step / (_GRID - 1), transfer) for step in range(_GRID)]

    def shown(stored: Vector) -> Vector:
        wide = icc.times(to_wide, stored)
        if transfer == HLG:
            luminance = max(0.0, sum(a * b for a, b in zip(wide, _LUMINANCE, strict=True)))
            wide = _scaled(wide, _HLG_PEAK * luminance**0.2)
        brightest = max(wide)
        scale = _shown(brightest) / brightest if brightest > 0 else 0.0
        red, green, blue = icc.times(to_screen, _scaled(wide, scale))
        return icc.times(to_xyz, (_cut(red), _cut(green), _cut(blue)))

    return icc.table_profile(
        _GRID, [shown((red, green, blue)) for red, green, blue in product(light, repeat=3)]
    )


def _light(value: float, transfer: int) -> float:
    """Nits for PQ; for HLG the share of the scene's brightest light."""
    if transfer == HLG:
        if value <= 0.5:
            return value * value / 3
        return (exp((value - 0.55991073) / 0.17883277) + 0.28466892) / 12
    root = value ** (1 / 78.84375)
    share: float = (max(root - 0.8359375, 0) / (18.8515625 - 18.6875 * root)) ** (1 / 0.1593017578125)
    return 10_000 * share


def _shown(nits: float) -> float:
    at = bisect_right(_NITS, nits) - 1
    if at >= len(_SLOPES):
        return 1.0
    return _SHOWN[at][1] + _SLOPES[at] * (nits - _NITS[at])


def _scaled(colour: Vector, by: float) -> Vector:
    return (colour[0] * by, colour[1] * by, colour[2] * by)


def _cut(light: float) -> float:
    return min(1.0, max(0.0, light))
