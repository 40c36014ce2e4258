"""File types by their first bytes: the supported formats, and the names of common unsupported ones."""

from __future__ import annotations

# Formats that are sent by mistake, for a precise message: first bytes, or the brand of an ISO media file.
_FOREIGN_STARTS = {
    b"II*\x00": "TIFF",
    b"MM\x00*": "TIFF",
    b"II+\x00": "TIFF",
    b"MM\x00+": "TIFF",
    b"BM": "BMP",
    b"%PDF-": "PDF",
}
_FOREIGN_BRANDS = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"), "HEIC"),
    **dict.fromkeys((b"avif", b"avis"), "AVIF"),
}
_HTML_STARTS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script")


def type_of(content: bytes) -> str | None:
    """The content type, or None if it is not supported."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    return None


def why_not(content: bytes) -> str:
    """The message for a file of an unsupported format."""
    name = _foreign_name(content)
    if name in ("PDF", "HTML"):
        return f"This is a {name} file, not an image. Export it as JPEG or PNG."
    if name:
        return f"{name} images are not supported; export as JPEG or PNG."
    return "This is not an image that can be opened here. Use JPEG, PNG, WebP or GIF."


def _foreign_name(content: bytes) -> str | None:
    if content[4:8] == b"ftyp":
        return _FOREIGN_BRANDS.get(content[8:12])
    for start, name in _FOREIGN_STARTS.items():
        if content.startswith(start):
            return name
    text = content[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_HTML_STARTS):
        return "HTML"
    if text.startswith(b"<") and b"<svg" in text:
        return "SVG"
    return None
