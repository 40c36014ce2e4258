"""Checks of input images, as a provider does them before it accepts work."""

from __future__ import annotations

import base64
import binascii
import math
from io import BytesIO
from urllib.parse import urlsplit

import httpx
from PIL import Image, UnidentifiedImageError

Size = tuple[int, int]  # pixels, width first


def decode_base64(text: str) -> bytes | None:
    """The bytes, or None if it is not standard base64."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


def is_url(text: str) -> bool:
    """Whether it is an absolute http(s) URL."""
    parts = urlsplit(text)
    return parts.scheme in ("http", "https") and bool(parts.hostname)


async def fetch(url: str) -> bytes | None:
    """The content of the URL; None if there is none. Only for URLs that `is_near`."""
    async with httpx.AsyncClient(timeout=60, follow_redirects=True, verify=False) as client:
        try:
            answer = await client.get(url)
        except httpx.HTTPError:
            return None
    return answer.content if answer.status_code == 200 else None


def is_near(url: str) -> bool:
    """Whether the URL is on this machine. Emulators fetch no others: those are assumed to be valid."""
    return urlsplit(url).hostname in ("127.0.0.1", "localhost", "::1")


def size_of(content: bytes) -> Size | None:
    """Pixels; None if these are not the bytes of a PNG, JPEG or WebP image."""
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            image.load()
            return image.size
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        return None


def fit(ratio: float, *, area: int, step: int) -> Size:
    """The size of about `area` pixels with this width-to-height ratio, in multiples of `step`."""
    height = math.sqrt(area / ratio)
    return max(step, round(height * ratio / step) * step), max(step, round(height / step) * step)
