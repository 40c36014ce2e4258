"""Colour spaces by their code points, as PNG, AVIF and HEIC name them. No Django.

The code points are those of ITU-T H.273, tables 2 and 3.
"""

from __future__ import annotations

from functools import cache

from editor.media import hdr, icc
from editor.media.icc import BT709, BT2020, SRGB_CURVE, Curve, Primaries

_D65, _C, _E = (0.3127, 0.329), (0.31, 0.316), (1 / 3, 1 / 3)
_NTSC = Primaries(_D65, (0.63, 0.34), (0.31, 0.595), (0.155, 0.07))
_PRIMARIES = {
    1: BT709,
    4: Primaries(_C, (0.67, 0.33), (0.21, 0.71), (0.14, 0.08)),
    5: Primaries(_D65, (0.64, 0.33), (0.29, 0.6), (0.15, 0.06)),
    6: _NTSC,
    7: _NTSC,
    8: Primaries(_C, (0.681, 0.319), (0.243, 0.692), (0.145, 0.049)),
    9: BT2020,
    10: Primaries(_E, (1.0, 0.0), (0.0, 1.0), (0.0, 0.0)),
    11: Primaries((0.314, 0.351), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    12: Primaries(_D65, (0.68, 0.32), (0.265, 0.69), (0.15, 0.06)),
    22: Primaries(_D65, (0.63, 0.34), (0.295, 0.605), (0.155, 0.077)),
}

# Television is shown with the gamma of its screens, 2.4, not with the inverse of its cameras' curve.
_SCREEN = Curve(2.4)
_CURVES = {
    **dict.fromkeys((1, 6, 11, 14, 15), _SCREEN),
    4: Curve(2.2),
    5: Curve(2.8),
    7: Curve(1 / 0.45, 1 / 1.1115, 0.1115 / 1.1115, 1 / 4, 0.0912),
    8: Curve(1.0),
    13: SRGB_CURVE,
    17: Curve(2.6, (52.37 / 48) ** (1 / 2.6)),
}


def is_known(primaries: int, transfer: int) -> bool:
    """Browsers ignore all others."""
    return primaries in _PRIMARIES and (transfer in _CURVES or transfer in (hdr.PQ, hdr.HLG))


@cache
def profile(primaries: int, transfer: int) -> bytes | None:
    """The ICC profile of two known code points; None for sRGB itself."""
    if transfer not in _CURVES:
        return hdr.profile(_PRIMARIES[primaries], transfer)
    space = (_PRIMARIES[primaries], _CURVES[transfer])
    return None if space == (BT709, SRGB_CURVE) else icc.profile(*space)
