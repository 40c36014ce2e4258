"""Secrets at rest: encrypted with keys that the operator can rotate, each bound to what it is for.

`ENCRYPTION_KEYS` lists the keys: the first one encrypts, every one opens. They are apart from
`SECRET_KEY`, which can be changed without losing what is stored here.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from editor.errors import EditorError

SHORTEST_KEY = 32  # characters of an entry of ENCRYPTION_KEYS


class Unreadable(EditorError):
    """Something stored cannot be decrypted here. Only an operator can help."""

    code = "unreadable_secret"


def encrypt(*, purpose: str, text: str) -> bytes:
    """`text`, to be opened only under the same `purpose`, which names the row it is stored in."""
    return _fernets()[0].encrypt(json.dumps({"purpose": purpose, "text": text}).encode())


def decrypt(*, purpose: str, token: bytes | memoryview) -> str:
    """The text. Raises Unreadable when no key opens it, or when it was stored for something else."""
    try:
        opened = json.loads(MultiFernet(_fernets()).decrypt(bytes(token)))
    except InvalidToken:
        raise Unreadable(
            "A stored secret cannot be decrypted with the portal's encryption keys. "
            "An operator must restore the earlier ENCRYPTION_KEYS, or the secret must be entered again."
        ) from None
    if opened["purpose"] != purpose:
        raise Unreadable(
            "A stored secret belongs to another row: the database was changed by hand. "
            "The secret must be entered again."
        )
    text: str = opened["text"]
    return text


def needs_rotation(token: bytes | memoryview) -> bool:
    """True unless the first key opens it."""
    try:
        _fernets()[0].decrypt(bytes(token))
    except InvalidToken:
        return True
    return False


def rotate(*, purpose: str, token: bytes | memoryview) -> bytes:
    """The same text, encrypted with the first key. Raises Unreadable."""
    return encrypt(purpose=purpose, text=decrypt(purpose=purpose, token=token))


def _fernets() -> tuple[Fernet, ...]:
    return tuple(_fernet(key) for key in settings.ENCRYPTION_KEYS)


@lru_cache(maxsize=16)
def _fernet(key: str) -> Fernet:
    """Any text will do as a key: it is random and long, so one round of hashing is enough."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
