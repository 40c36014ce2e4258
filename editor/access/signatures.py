"""Requests that are signed in Wiro's way: an HMAC over a secret and a nonce, made with the key.

The signature says nothing about the body. So whoever saw one could send it again with a body of
their own: see operations/nonces.py, which lets each change something only once.
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

WINDOW = 300  # seconds that a nonce which is a time may be away from now
# Unix time in seconds or milliseconds, of this century and the next. Other whole numbers are random.
TIME = r"^[1-9]([0-9]{9}|[0-9]{12})$"
_TIME = re.compile(TIME, re.ASCII)
_NONCE = re.compile(r"[0-9]{1,40}")


class NotSigned(NotAuthenticated):
    """The request is not signed as its key asks for; in Wiro's own words."""


def sealed(*, key_id: UUID, secret: str) -> bytes:
    """What goes into `ApiKey.signing_secret`: opens for that key alone."""
    return vault.encrypt(purpose=purpose(key_id), text=secret)


def secret_of(key: ApiKey) -> str:
    """The secret that the key signs with; "" for a key that does not sign. Raises vault.Unreadable."""
    if key.signing_secret is None:
        return ""
    return vault.decrypt(purpose=purpose(key.pk), token=key.signing_secret)


def purpose(key_id: UUID) -> str:
    return f"signing-secret:{key_id}"


def check(*, key: ApiKey, bare: str, nonce: str, signature: str) -> None:
    """Raise NotSigned unless this is the key's signature over a nonce that may be used now.

    bare       the key's text
    signature  hexadecimal; what openssl prints before it, up to the last space, is left aside
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
    """The one answer to a signature that is wrong, too old or used up."""
    return NotSigned("Project authorization is not valid.")


def _is_usable(nonce: str) -> bool:
    if not _NONCE.fullmatch(nonce):
        return False
    if not _TIME.fullmatch(nonce):
        return True
    seconds = int(nonce) / (1000 if len(nonce) > 10 else 1)
    return abs(seconds - time.time()) <= WINDOW
