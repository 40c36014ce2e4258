"""The parts of image files that Pillow does not report. Reads bytes, decodes no pixels.

Formats: PNG (third edition), section 5; the WebP container specification; ISO 14496-12 for AVIF and HEIC.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_NCLX = b"colrnclx"
_BOXES_END = 256 * 1024  # bytes; an AVIF or HEIC file describes itself at its start


@dataclass(frozen=True, slots=True)
class Nclx:
    """How an AVIF or HEIC file says its colours without a profile: code points of ITU-T H.273."""

    primaries: int
    transfer: int
    matrix: int


def png_chunks(content: bytes) -> dict[bytes, bytes]:
    """The chunks before the pixels by name, the first of each."""
    chunks: dict[bytes, bytes] = {}
    at = 8
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        if name == b"IDAT":
            break
        chunks.setdefault(name, content[at + 8 : at + 8 + length])
        at += 12 + length
    return chunks


def is_lossless_webp(content: bytes) -> bool:
    """Whether the pixels, of an animation those of its first frame, are stored without loss."""
    for name, start in _webp_chunks(content, 12):
        if name == b"ANMF":
            frame = next((each for each, _ in _webp_chunks(content, start + 16) if each != b"ALPH"), b"")
            return frame == b"VP8L"
        if name in (b"VP8 ", b"VP8L"):
            return name == b"VP8L"
    return False


def nclx(content: bytes) -> Nclx | None:
    """The code points of an AVIF or HEIC file, if it has any."""
    at = content.find(_NCLX, 0, _BOXES_END)
    if at < 0 or len(content) < at + len(_NCLX) + 6:
        return None
    return Nclx(*struct.unpack_from(">3H", content, at + len(_NCLX)))


def _webp_chunks(content: bytes, at: int) -> Iterator[tuple[bytes, int]]:
    """The name and the start of the data of each chunk from `at` on."""
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        yield name, at + 8
        at += 8 + length + length % 2
