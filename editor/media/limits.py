"""How large images may be: as they come in, as they are kept, and as results."""

from __future__ import annotations

from dataclasses import dataclass

from editor.errors import InvalidInput

_MIB = 1024 * 1024
_MILLION = 1_000_000

# A compressed photograph has more bytes than one for this many pixels. A bomb has not.
_SPARSEST = 200


class BadImage(InvalidInput):
    """This file is not accepted as an image; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Limits:
    """content_bytes  of the file
    pixels         width times height
    side           pixels
    """

    content_bytes: int
    pixels: int
    side: int

    def hold(self, width: int, height: int) -> bool:
        return width * height <= self.pixels and max(width, height) <= self.side

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The largest size of this shape within the limits."""
        scale = min(1.0, (self.pixels / (width * height)) ** 0.5, self.side / max(width, height))
        return max(1, int(width * scale)), max(1, int(height * scale))

    def __str__(self) -> str:
        return f"{self.pixels / _MILLION:g} megapixels and {self.side} pixels per side"


# What is kept of an upload; a larger photograph is made smaller.
UPLOAD = Limits(content_bytes=25 * _MIB, pixels=25 * _MILLION, side=16_384)
# What is taken in. The cameras of 2026 reach 100 megapixels, and panoramas of phones are long.
PHOTOGRAPH = Limits(content_bytes=UPLOAD.content_bytes, pixels=105 * _MILLION, side=65_500)
MAX_BYTES = UPLOAD.content_bytes
# A provider's result is kept as it is: it has been paid for.
RESULT = Limits(content_bytes=128 * _MIB, pixels=105 * _MILLION, side=65_500)


def check_upload_length(length: int) -> None:
    """Raise BadImage for an empty upload, or one of too many bytes."""
    if length == 0:
        raise BadImage("The file is empty.")
    if length > UPLOAD.content_bytes:
        raise BadImage(
            f"The file is {length / _MIB:.1f} MiB; the limit is {UPLOAD.content_bytes // _MIB} MiB. "
            "Make it smaller, or export it at a lower quality."
        )


def check_result_length(length: int) -> None:
    """Raise BadImage for an empty result, or one of too many bytes."""
    if length == 0:
        raise BadImage("The file is empty.")
    if length > RESULT.content_bytes:
        raise BadImage(
            f"The file is {length / _MIB:.1f} MiB; results can have {RESULT.content_bytes // _MIB} MiB."
        )


def check_upload_size(width: int, height: int, length: int) -> None:
    """Raise BadImage for more pixels than can be made smaller; `length` is that of the file, in bytes.

    By the header alone, before a single pixel is decoded.
    """
    _check_not_empty(width, height)
    if UPLOAD.hold(width, height):
        return
    size = _described(width, height)
    if not PHOTOGRAPH.hold(width, height):
        raise BadImage(f"{size}; the limit is {PHOTOGRAPH}. Make it smaller.")
    if width * height > length * _SPARSEST:
        raise BadImage(f"{size}; the limit is {UPLOAD}, but for photographs. Make it smaller.")


def check_result_size(width: int, height: int) -> None:
    """Raise BadImage for a result of too many pixels."""
    _check_not_empty(width, height)
    if not RESULT.hold(width, height):
        raise BadImage(f"{_described(width, height)}; results can have {RESULT}.")


def _check_not_empty(width: int, height: int) -> None:
    if width < 1 or height < 1:
        raise BadImage("The image has no pixels.")


def _described(width: int, height: int) -> str:
    return f"The image has {width} x {height} pixels ({width * height / _MILLION:.1f} megapixels)"
