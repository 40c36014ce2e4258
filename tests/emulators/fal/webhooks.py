"""The signature of fal's webhooks, and the keys to verify it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

USER_ID = "github|1234567"


class Signer:
    """Signs with its own key; the list of public keys has another one first, as during a key rotation."""

    def __init__(self) -> None:
        self._key = Ed25519PrivateKey.generate()
        self._retired = Ed25519PrivateKey.generate()

    def jwks(self) -> dict[str, Any]:
        return {
            "keys": [
                {"kty": "OKP", "crv": "Ed25519", "x": _public(key), "kid": kid}
                for kid, key in (("retired", self._retired), ("current", self._key))
            ]
        }

    def headers(self, *, request_id: str, timestamp: int, body: bytes) -> dict[str, str]:
        """timestamp: Unix seconds."""
        message = "\n".join([request_id, USER_ID, str(timestamp), hashlib.sha256(body).hexdigest()])
        return {
            "Content-Type": "application/json",
            "X-Fal-Webhook-Request-Id": request_id,
            "X-Fal-Webhook-User-Id": USER_ID,
            "X-Fal-Webhook-Timestamp": str(timestamp),
            "X-Fal-Webhook-Signature": self._key.sign(message.encode()).hex(),
        }


def _public(key: Ed25519PrivateKey) -> str:
    return urlsafe_b64encode(key.public_key().public_bytes_raw()).rstrip(b"=").decode()
