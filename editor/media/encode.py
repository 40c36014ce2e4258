"""Encode clean pixels: the image as it is stored, and its thumbnails. Pure Pillow, no Django."""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from editor.media import containers

THUMBNAILS = (160, 512, 1280)  # longest side, pixels

_LONGEST_WEBP = 16_383  # pixels
_RGB_AS_IT_IS = 0  # matrix coefficients of an AVIF or HEIC without loss


def stored_type(image: Image.Image, content: bytes, content_type: str) -> str:
    """The content type to store an image in that came as `content`: browsers show it, and it loses nothing.

    JPEG, PNG and WebP keep their format. A GIF has 256 colours and one bit of alpha: PNG holds its first
    frame. AVIF and HEIC become JPEG, or with alpha WebP; without loss, PNG.
    """
    if content_type == "image/gif":
        return "image/png"
    if content_type in ("image/avif", "image/heic"):
        points = containers.nclx(content)
        if points and points.matrix == _RGB_AS_IT_IS:
            return "image/png"
        if image.mode == "RGBA":
            return "image/webp" if max(image.size) <= _LONGEST_WEBP else "image/png"
        return "image/jpeg"
    return content_type


def encode(image: Image.Image, content_type: str, *, lossless: bool) -> bytes:
    """`lossless` matters for WebP: PNG always is, JPEG never."""
    buffer = BytesIO()
    if content_type == "image/jpeg":
        image.convert("RGB").save(buffer, "JPEG", quality=95, subsampling="4:4:4")
    elif content_type == "image/png":
        # Level 3 takes a third of the time of Pillow's usual 6, for about a tenth more bytes.
        image.save(buffer, "PNG", compress_level=3)
    elif lossless:
        # Method 0 takes an eighth of the time of Pillow's usual 4, for about a third more bytes.
        image.save(buffer, "WEBP", lossless=True, exact=True, quality=20, method=0)
    else:
        # Method 2 takes a seventh of the time of Pillow's usual 4, for about the same bytes.
        image.save(buffer, "WEBP", quality=95, method=2)
    return buffer.getvalue()


def thumbnails(image: Image.Image) -> dict[int, bytes]:
    """One WebP per size in THUMBNAILS, each made from the next larger one."""
    encoded: dict[int, bytes] = {}
    for side in sorted(THUMBNAILS, reverse=True):
        image = _fit(image, side)
        buffer = BytesIO()
        image.save(buffer, "WEBP", quality=82)
        encoded[side] = buffer.getvalue()
    return encoded


def _fit(image: Image.Image, side: int) -> Image.Image:
    """The image with its longest side at most `side` pixels, never enlarged."""
    longest = max(image.size)
    if longest <= side:
        return image
    size = (max(1, round(image.width * side / longest)), max(1, round(image.height * side / longest)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
