"""Signed tokens that prove that someone receives mail at an address."""

from __future__ import annotations

from django.core import signing

from editor.errors import NotFound

SECONDS = 24 * 3600
_SALT = "editor.sign-up"


def of_address(email: str) -> str:
    """A token to mail to this address and nowhere else: having it proves access to the mailbox."""
    return signing.dumps(email, salt=_SALT)


def read(token: str) -> str:
    """The address the token was made for. Raises NotFound for a forged or expired token."""
    try:
        return str(signing.loads(token, salt=_SALT, max_age=SECONDS))
    except signing.BadSignature:
        raise NotFound("This link is invalid or older than a day. Request a new one.") from None
