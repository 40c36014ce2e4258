"""Makes ICC profiles of colour spaces that a file names without one. No Django.

The format is ICC.1:2022: a header of 128 bytes, a table of tags, and their data.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

Matrix = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float, float]]
Vector = tuple[float, float, float]

_D50: Vector = (0.9642, 1.0, 0.8249)  # the white point of every profile, XYZ
_BRADFORD: Matrix = ((0.8951, 0.2664, -0.1614), (-0.7502, 1.7135, 0.0367), (0.0389, -0.0685, 1.0296))


@dataclass(frozen=True, slots=True)
class Primaries:
    """The white point and the three colours of a display, each as CIE x and y."""

    white: tuple[float, float]
    red: tuple[float, float]
    green: tuple[float, float]
    blue: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Curve:
    """From a stored value 0..1 to linear light: (a·v + b)^g from v = d on, c·v below it."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0


_D65 = (0.3127, 0.329)
BT709 = Primaries(_D65, (0.64, 0.33), (0.3, 0.6), (0.15, 0.06))
BT2020 = Primaries(_D65, (0.708, 0.292), (0.17, 0.797), (0.131, 0.046))
SRGB_CURVE = Curve(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def profile(primaries: Primaries, curve: Curve) -> bytes:
    """An RGB profile. Raises ValueError for primaries that span no space."""
    matrix = to_d50(primaries)
    columns = [tuple(row[i] for row in matrix) for i in range(3)]
    tags = {
        **{name: _xyz(*column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)},
        b"wtpt": _xyz(*_D50),
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _parametric(curve)),
    }
    return _assembled(tags, version=4, connection=b"XYZ ")


def table_profile(grid: int, colours: Sequence[Vector]) -> bytes:
    """An RGB profile that is a table.

    grid     points on each of its axes
    colours  XYZ for each point, white at D50; blue changes fastest
    """
    straight = struct.pack(">2H", 0, 65535)
    identity = struct.pack(">9i", *(65536 * (i % 4 == 0) for i in range(9)))
    head = b"mft2\0\0\0\0" + bytes([3, 3, grid, 0]) + identity + struct.pack(">2H", 2, 2)
    points = b"".join(struct.pack(">3H", *_lab(colour)) for colour in colours)
    tags = {b"wtpt": _xyz(*_D50), b"A2B0": head + straight * 3 + points + straight * 3}
    # Of version 4, black would be taken for that of a print.
    return _assembled(tags, version=2, connection=b"Lab ")


def _lab(xyz: Vector) -> tuple[int, int, int]:
    """CIE L*a*b* as `mft2` holds it: 16 bits, L* of 100 as 0xFF00, a* and b* of 0 as 0x8000."""
    x, y, z = (
        share ** (1 / 3) if share > 216 / 24389 else (24389 / 27 * share + 16) / 116
        for share in (value / white for value, white in zip(xyz, _D50, strict=True))
    )
    return (
        round((116 * y - 16) * 652.8),
        round((500 * (x - y) + 128) * 256),
        round((200 * (y - z) + 128) * 256),
    )


def _assembled(tags: dict[bytes, bytes], *, version: int, connection: bytes) -> bytes:
    """`connection`: the space that the tags lead to, XYZ or Lab."""
    table, data, offset = b"", b"", 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += struct.pack(">4sII", name, offset + len(data), len(content))
        data += content
    body = struct.pack(">I", len(tags)) + table + data
    start = struct.pack(">I4xI4s4s4s", 128 + len(body), version << 24, b"mntr", b"RGB ", connection)
    header = start + bytes(12) + b"acsp" + bytes(28) + _xyz(*_D50)[8:]
    return header.ljust(128, b"\0") + body


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _parametric(curve: Curve) -> bytes:
    numbers = (curve.g, curve.a, curve.b, curve.c, curve.d)
    return b"para\0\0\0\0\0\3\0\0" + struct.pack(">5i", *(round(number * 65536) for number in numbers))


def to_d50(primaries: Primaries) -> Matrix:
    """The matrix from linear RGB to XYZ, with the white point adapted to D50 as ICC wants it."""
    corners = (primaries.red, primaries.green, primaries.blue)
    x, y = primaries.white
    if y == 0 or not all(0 <= value <= 1 for value in (x, y, *chain(*corners))):
        raise ValueError("These are no colours.")
    white = (x / y, 1.0, (1 - x - y) / y)
    colours = _columns(*((x, y, 1 - x - y) for x, y in corners))
    to_xyz = product(colours, _diagonal(times(inverse(colours), white)))
    return product(_adapted_from(white), to_xyz)


def _adapted_from(white: Vector) -> Matrix:
    """Bradford's matrix from colours under this white point to those under D50."""
    before, after = times(_BRADFORD, white), times(_BRADFORD, _D50)
    ratios = (after[0] / before[0], after[1] / before[1], after[2] / before[2])
    return product(inverse(_BRADFORD), product(_diagonal(ratios), _BRADFORD))


def _diagonal(values: Vector) -> Matrix:
    x, y, z = values
    return ((x, 0, 0), (0, y, 0), (0, 0, z))


def _rows(rows: list[list[float]]) -> Matrix:
    first, second, third = ((row[0], row[1], row[2]) for row in rows)
    return (first, second, third)


def _columns(*columns: Vector) -> Matrix:
    return _rows([[column[i] for column in columns] for i in range(3)])


def times(matrix: Matrix, vector: Vector) -> Vector:
    x, y, z = (sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix)
    return (x, y, z)


def product(one: Matrix, other: Matrix) -> Matrix:
    return _columns(*(times(one, (other[0][i], other[1][i], other[2][i])) for i in range(3)))


def inverse(matrix: Matrix) -> Matrix:
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    if abs(determinant) < 1e-6:
        raise ValueError("These primaries span no colour space.")
    return _rows(
        [
            [value / determinant for value in row]
            for row in (
                [e * i - f * h, c * h - b * i, b * f - c * e],
                [f * g - d * i, a * i - c * g, c * d - a * f],
                [d * h - e * g, b * g - a * h, a * e - b * d],
            )
        ]
    )
