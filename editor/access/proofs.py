"""Links that only somebody who reads the mail of an address can know."""

from __future__ import annotations

from django.core import signing

from editor.errors import NotFound

SECONDS = 24 * 3600
_SALT = "editor.sign-up"


def of_address(email: str) -> str:
    """A token for the mail to this address; it proves nothing to anybody who only knows the address."""
    return signing.dumps(email, salt=_SALT)


def read(token: str) -> str:
    """The address whose mail had this token. Raises NotFound for one that is wrong or too old."""
    try:
        return str(signing.loads(token, salt=_SALT, max_age=SECONDS))
    except signing.BadSignature:
        raise NotFound("This link is not right, or is older than a day. Ask for a new one.") from None
