"""Verifies the signatures of fal's callbacks. Pure. Source: the contract's section 7."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

OLDEST = 300  # seconds that the callback's time may differ from ours in either direction
KEY_BYTES = 32
HEADER = "x-fal-webhook-signature"


def public_keys(jwks: Any) -> list[bytes]:
    """The Ed25519 keys of fal's list (https://rest.fal.ai/.well-known/jwks.json), decoded from JSON.

    Other entries are ignored. fal requires the list to be kept for a day at most.
    """
    entries = jwks.get("keys") if isinstance(jwks, dict) else None
    keys = [_key(entry) for entry in entries] if isinstance(entries, list) else []
    return [key for key in keys if len(key) == KEY_BYTES]


def verify(*, body: bytes, headers: Mapping[str, str], keys: Sequence[bytes], now: float) -> bool:
    """Whether one of the keys signed this body and these headers recently.

    body     as received, byte for byte
    headers  names in lower case
    keys     raw, 32 bytes each
    now      Unix seconds
    """
    request_id = headers.get("x-fal-webhook-request-id", "")
    user_id = headers.get("x-fal-webhook-user-id", "")
    timestamp = headers.get("x-fal-webhook-timestamp", "")
    try:
        signature = bytes.fromhex(headers.get(HEADER, ""))
        seconds = int(timestamp)
    except ValueError:
        return False
    if abs(now - seconds) > OLDEST:
        return False
    message = "\n".join([request_id, user_id, timestamp, hashlib.sha256(body).hexdigest()]).encode()
    return any(_signed(key, signature, message) for key in keys)


def _signed(key: bytes, signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _key(entry: Any) -> bytes:
    """Empty if the entry is not an Ed25519 key."""
    if not isinstance(entry, dict) or entry.get("crv") != "Ed25519":
        return b""
    text = str(entry.get("x", ""))
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return b""
