"""Secrets at rest, encrypted with keys that the operator can rotate and each bound to a purpose.

`ENCRYPTION_KEYS` lists the keys: the first one encrypts, all of them decrypt. They are separate from
`SECRET_KEY`, which can be changed without losing stored secrets.
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
    """A stored secret cannot be decrypted. Only an operator can fix this."""

    code = "unreadable_secret"


def encrypt(*, purpose: str, text: str) -> bytes:
    """Encrypt `text` so that it decrypts only with the same `purpose`, which names its row."""
    return _fernets()[0].encrypt(json.dumps({"purpose": purpose, "text": text}).encode())


def decrypt(*, purpose: str, token: bytes | memoryview) -> str:
    """The text. Raises Unreadable if no key decrypts it or it was stored for another purpose."""
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
    """True unless the first key decrypts it."""
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
    """Keys can be any text: they are random and long, so one round of hashing is enough."""
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
