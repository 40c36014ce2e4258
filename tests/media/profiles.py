"""ICC profiles of every kind that files carry, made by hand: they are converted visibly."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product

from editor.media.icc import Curve, Primaries, profile

ADOBE = Primaries((0.3127, 0.329), (0.64, 0.33), (0.21, 0.71), (0.15, 0.06))
P3 = Primaries((0.3127, 0.329), (0.68, 0.32), (0.265, 0.69), (0.15, 0.06))
D50_WHITE = (0.9642, 1.0, 0.8249)

adobe_rgb = profile(ADOBE, Curve(2.19921875))
display_p3 = profile(P3, Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))


def _s15(*values: float) -> bytes:
    return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))


def icc(space: bytes, tags: dict[bytes, bytes], *, kind: bytes = b"mntr", pcs: bytes = b"XYZ ") -> bytes:
    """A profile of version 2 with these tags."""
    table, data, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, offset + len(data), len(content))
        data += content.ljust(-(-len(content) // 4) * 4, b"\0")
    body = struct.pack(">I", len(tags)) + table + data
    start = struct.pack(">I4xI4s4s4s", 128 + len(body), 0x02400000, kind, space, pcs)
    header = start + bytes(12) + b"acsp" + bytes(28) + _s15(*D50_WHITE)
    return header.ljust(128, b"\0") + body


def xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + _s15(*values)


def gamma(value: float) -> bytes:
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(value * 256))


def sampled(function: Callable[[float], float], count: int = 256) -> bytes:
    points = (round(function(i / (count - 1)) * 65535) for i in range(count))
    return b"curv\0\0\0\0" + struct.pack(f">I{count}H", count, *points)


def table8(inputs: int, colour: Callable[..., tuple[float, float, float]], grid: int = 9) -> bytes:
    """A lookup table of 8 bits from `inputs` channels 0..1 to Lab."""
    head = b"mft1\0\0\0\0" + bytes([inputs, 3, grid, 0]) + _s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    straight = bytes(range(256))
    points = bytearray()
    for place in product(range(grid), repeat=inputs):
        lightness, a, b = colour(*(i / (grid - 1) for i in place))
        points += bytes([round(lightness * 2.55), round(a) + 128, round(b) + 128])
    return head + straight * inputs + bytes(points) + straight * 3


def _ink(cyan: float, magenta: float, yellow: float, black: float) -> tuple[float, float, float]:
    light = 1 - 0.2 * cyan - 0.2 * magenta - 0.05 * yellow - 0.45 * black
    # Within sRGB: outside of it, programs cut colours off in their own ways.
    return 100 * light, 25 * magenta - 15 * cyan, 20 * yellow - 15 * cyan + 10 * black


def _warm(red: float, green: float, blue: float) -> tuple[float, float, float]:
    return (
        100 * (0.3 * red + 0.6 * green + 0.1 * blue),
        60 * (red - green),
        50 * (0.5 * red + 0.5 * green - blue),
    )


grey_gamma_1 = icc(b"GRAY", {b"wtpt": xyz(*D50_WHITE), b"kTRC": gamma(1.0)})
grey_dot_gain = icc(b"GRAY", {b"wtpt": xyz(*D50_WHITE), b"kTRC": sampled(lambda v: v**1.5)})
cmyk_table = icc(b"CMYK", {b"wtpt": xyz(*D50_WHITE), b"A2B0": table8(4, _ink, 5)}, kind=b"prtr", pcs=b"Lab ")
rgb_table = icc(b"RGB ", {b"wtpt": xyz(*D50_WHITE), b"A2B0": table8(3, _warm)}, kind=b"scnr", pcs=b"Lab ")
# Red and green lie the wrong way round: a mistake in the order of channels cannot hide.
swapped = icc(
    b"RGB ",
    {
        b"wtpt": xyz(*D50_WHITE),
        b"rXYZ": xyz(0.3851, 0.7169, 0.0971),
        b"gXYZ": xyz(0.4361, 0.2225, 0.0139),
        b"bXYZ": xyz(0.1431, 0.0606, 0.7141),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(2.2)),
    },
)
no_curves = icc(b"RGB ", {b"wtpt": xyz(*D50_WHITE)})
