"""Wiro's request signatures: an HMAC over a secret and a nonce, made with the key.

The signature does not cover the body, so anyone who sees one could replay it with another body:
operations/nonces.py lets each signature change something only once.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from uuid import UUID

from editor.access import vault
from editor.errors import NotAuthenticated
from editor.models import ApiKey

WINDOW = 300  # seconds that a timestamp nonce may differ from now
# Unix time in seconds or milliseconds, of this century and the next. Other integers count as random.
TIME = r"^[1-9]([0-9]{9}|[0-9]{12})$"
_TIME = re.compile(TIME, re.ASCII)
_NONCE = re.compile(r"[0-9]{1,40}")


class NotSigned(NotAuthenticated):
    """The request lacks the signature that its key requires; the messages are Wiro's."""


def sealed(*, key_id: UUID, secret: str) -> bytes:
    """The encrypted value of `ApiKey.signing_secret`; it decrypts only for that key."""
    return vault.encrypt(purpose=purpose(key_id), text=secret)


def secret_of(key: ApiKey) -> str:
    """The key's signing secret; "" for a key without one. Raises vault.Unreadable."""
    if key.signing_secret is None:
        return ""
    return vault.decrypt(purpose=purpose(key.pk), token=key.signing_secret)


def purpose(key_id: UUID) -> str:
    return f"signing-secret:{key_id}"


def check(*, key: ApiKey, bare: str, nonce: str, signature: str) -> None:
    """Raise NotSigned unless this is the key's signature over a nonce that is valid now.

    bare       the key's text
    signature  hexadecimal; a prefix up to the last space, as openssl prints it, is ignored
    """
    if not nonce or not signature:
        raise NotSigned(
            "Project requires signature authentication. x-signature and x-nonce headers are required."
        )
    message = f"{secret_of(key)}{nonce}".encode()
    expected = hmac.new(bare.encode(), message, hashlib.sha256).hexdigest()
    given = signature.strip().rpartition(" ")[2].lower()
    if not hmac.compare_digest(expected.encode(), given.encode()) or not _is_usable(nonce):
        raise refusal()


def refusal() -> NotSigned:
    """The error for any signature that is wrong, too old or already used."""
    return NotSigned("Project authorization is not valid.")


def _is_usable(nonce: str) -> bool:
    if not _NONCE.fullmatch(nonce):
        return False
    if not _TIME.fullmatch(nonce):
        return True
    seconds = int(nonce) / (1000 if len(nonce) > 10 else 1)
    return abs(seconds - time.time()) <= WINDOW
