"""File types by their first bytes: the supported formats, and the names of common unsupported ones."""

from __future__ import annotations

# The content types that are taken in, and the names of their formats for people.
LABELS = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/webp": "WebP",
    "image/gif": "GIF",
    "image/heic": "HEIC",
    "image/avif": "AVIF",
}

# Other spellings in use -> the usual one.
ALIASES = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "image/pjpg": "image/jpeg",
    "image/x-png": "image/png",
    "image/heif": "image/heic",
}

# Formats that are sent by mistake, for a precise message.
_FOREIGN_STARTS = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
    b"\xff\x0a": "JPEG XL",
    b"\x00\x00\x00\x0cJXL ": "JPEG XL",
    b"%PDF-": "PDF",
}
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")

# Brands of ISO media files. Many photographs have a general one first, and their own among the others.
_BRANDS = {
    **dict.fromkeys((b"avif", b"avis"), "image/avif"),
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "image/heic"),
}
_MOST_BRANDS = 32


def type_of(content: bytes) -> str | None:
    """The content type, one of LABELS, or None if the format is not supported."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return next((_BRANDS[brand] for brand in _brands(content) if brand in _BRANDS), None)


def usual_type(content_type: str) -> str:
    """The content type in its usual spelling."""
    return ALIASES.get(content_type, content_type)


def why_not(content: bytes) -> str:
    """The message for a file of an unsupported format."""
    name = _foreign_name(content)
    if name in ("PDF", "HTML"):
        return f"This is a {name} file, not an image. Export it as JPEG or PNG."
    if name:
        return f"{name} images are not supported; export as JPEG or PNG."
    return "This is not an image that can be opened here. Use JPEG, PNG, WebP, GIF, HEIC or AVIF."


def _brands(content: bytes) -> list[bytes]:
    """The brands of an ISO media file: the major one, then the compatible ones."""
    if content[4:8] != b"ftyp":
        return []
    end = min(int.from_bytes(content[:4]), len(content), 16 + 4 * _MOST_BRANDS)
    return [content[8:12], *(content[at : at + 4] for at in range(16, end, 4))]


def _foreign_name(content: bytes) -> str | None:
    for start, name in _FOREIGN_STARTS.items():
        if content.startswith(start):
            return name
    text = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_HTML_STARTS):
        return "HTML"
    if text.startswith(b"<") and b"<svg" in text:
        return "SVG"
    return None
