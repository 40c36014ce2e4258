"""Signed tokens that prove that somebody reads the mail of an address."""

from __future__ import annotations

from django.core import signing

from editor.errors import NotFound

SECONDS = 24 * 3600
_SALT = "editor.sign-up"


def of_address(email: str) -> str:
    """A token for a mail to this address, and for nowhere else: whoever has it reads that mail."""
    return signing.dumps(email, salt=_SALT)


def read(token: str) -> str:
    """The address that the token was made for. Raises NotFound for a forged or expired one."""
    try:
        return str(signing.loads(token, salt=_SALT, max_age=SECONDS))
    except signing.BadSignature:
        raise NotFound("This link is invalid or older than a day. Request a new one.") from None
