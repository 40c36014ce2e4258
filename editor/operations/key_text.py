"""The text of an API key: `flk_`, a public id of 8 characters, a secret of 32, a checksum of 6, all base62.

Only a SHA-256 of the secret is stored: the secret has 190 bits of randomness, so a slow password hash would
only add delay to each request.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib

PREFIX = "flk_"
_ALPHABET = string.digits + string.ascii_letters


def bare(public_id: str, secret: str) -> str:
    """The whole text, which is shown once."""
    return f"{PREFIX}{public_id}{secret}{checksum(public_id + secret)}"


def parts(text: str) -> tuple[str, str] | None:
    """The public id and the secret; None if it is no such text, or mistyped."""
    body = text.removeprefix(PREFIX)
    well_formed = len(text) == len(PREFIX) + 46 and body != text and body.isascii() and body.isalnum()
    if not well_formed or checksum(body[:40]) != body[40:]:
        return None
    return body[:8], body[8:40]


def random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def checksum(text: str) -> str:
    """Six base62 digits of a CRC-32: detects a mistyped key without a query."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
