"""Check an untrusted image and produce a clean one from it. Pure Pillow, no Django.

Uploads are never stored as received: the pixels are decoded and re-encoded, which drops
metadata, GPS positions and anything else hidden in the file. A provider's result is decoded
as strictly, but a plain one is kept byte for byte: no quality is lost, and its content
credentials stay. The functions that open a file are meant to run in a child process
(see `store.clean`), because a hostile file may take much time and memory before it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any, TypeVar

from PIL import Image, ImageChops

from editor.media import limits
from editor.media.containers import is_lossless_webp
from editor.media.decode import decode_result, decode_upload, is_large
from editor.media.encode import encode, stored_type, thumbnails
from editor.media.formats import type_of, why_not
from editor.media.limits import BadImage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CleanImage:
    """An image that is safe to store and to show.

    content        the encoded image, sRGB, upright, without metadata
    content_type   image/jpeg, image/png or image/webp
    width          pixels
    height         pixels
    thumbnails     longest side in pixels (each of THUMBNAILS) -> WebP; never larger than the image
    original_size  width and height of the file, if it was larger than images are kept
    has_alpha      any pixel is not opaque
    """

    content: bytes
    content_type: str
    width: int
    height: int
    thumbnails: dict[int, bytes]
    original_size: tuple[int, int] | None = None
    has_alpha: bool = False


def identify(content: bytes) -> str:
    """The content type of a supported file, by its first bytes. Cheap: opens nothing.

    Declared types and file names are often wrong: the bytes decide. Raises BadImage for another format.
    """
    actual = type_of(content)
    if actual is None:
        raise BadImage(why_not(content))
    return actual


def identify_upload(content: bytes) -> str:
    """As `identify`. Raises BadImage for an empty or too large file too."""
    limits.check_upload_length(len(content))
    return identify(content)


def identify_result(content: bytes) -> str:
    """As `identify`. Raises BadImage for an empty or too large file too."""
    limits.check_result_length(len(content))
    return identify(content)


def unless_large(function: Callable[..., T], content: bytes, *args: Any) -> T | None:
    """`function(content, *args)`; None for an image that takes much memory to decode. Raises BadImage."""
    return None if is_large(content, identify(content)) else function(content, *args)


def sanitise(content: bytes) -> CleanImage:
    """Check an upload (its first frame) and re-encode it, with its thumbnails.

    A photograph larger than images are kept is made smaller. Raises BadImage with a message for the person
    who sent the file.
    """
    actual = identify_upload(content)
    decoded = decode_upload(content, actual)
    return _clean(decoded.image, content, actual, original_size=decoded.original_size)


def verify(content: bytes) -> CleanImage:
    """Check a provider's result as strictly, but keep its bytes if browsers show them unchanged.

    An image that is rotated, is not sRGB, is animated, or has a format that is not stored is re-encoded.
    Results may be larger than uploads, and are never made smaller. Raises BadImage.
    """
    actual = identify_result(content)
    decoded = decode_result(content, actual)
    keep = decoded.plain and stored_type(decoded.image, content, actual) == actual
    return _clean(decoded.image, content, actual, encoded=content if keep else None)


def _clean(
    image: Image.Image,
    content: bytes,
    actual: str,
    *,
    encoded: bytes | None = None,
    original_size: tuple[int, int] | None = None,
) -> CleanImage:
    """`encoded`: the file to store, if it need not be made."""
    content_type = stored_type(image, content, actual)
    lossless = actual != "image/webp" or is_lossless_webp(content)
    return CleanImage(
        content=encoded or encode(image, content_type, lossless=lossless),
        content_type=content_type,
        width=image.width,
        height=image.height,
        thumbnails=thumbnails(image),
        original_size=original_size,
        has_alpha=image.mode == "RGBA" and image.getchannel("A").getextrema() != (255, 255),
    )


def sanitise_mask(content: bytes, width: int, height: int) -> bytes:
    """A painted mask as a one-channel PNG of exactly `width` x `height` pixels.

    White means change, black keep, grey in between; transparent parts count as black. A
    mask of another size is scaled if it has the same aspect ratio. Raises BadImage.
    """
    mask = decode_upload(content, identify_upload(content)).image
    # One pixel of tolerance: a canvas scaled to fit the screen rounds its sides.
    off_by_height = abs(mask.width * height / width - mask.height)
    off_by_width = abs(mask.height * width / height - mask.width)
    if min(off_by_height, off_by_width) >= 1:
        raise BadImage(
            f"The mask is {mask.width} x {mask.height} pixels, but the image is {width} x {height}. "
            "Make the mask as large as the image."
        )
    grey = mask.convert("L")
    if mask.mode == "RGBA":
        grey = ImageChops.multiply(grey, mask.getchannel("A"))
    if grey.size != (width, height):
        grey = grey.resize((width, height), Image.Resampling.NEAREST)
    buffer = BytesIO()
    grey.save(buffer, "PNG")
    return buffer.getvalue()
