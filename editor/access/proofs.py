"""Signed tokens that prove that someone receives mail at an address."""

from __future__ import annotations

from django.core import signing

from editor.errors import NotFound
from editor.models import User

SECONDS = 24 * 3600
_SALT = "editor.sign-up"
_EMAIL_SALT = "editor.confirm-email"


def of_address(email: str) -> str:
    """A token to mail to this address and nowhere else: having it proves access to the mailbox."""
    return signing.dumps(email, salt=_SALT)


def read(token: str) -> str:
    """The address the token was made for. Raises NotFound for a forged or expired token."""
    try:
        return str(signing.loads(token, salt=_SALT, max_age=SECONDS))
    except signing.BadSignature:
        raise NotFound("This link is invalid or older than a day. Request a new one.") from None


def of_email(user: User, email: str) -> str:
    """A token to mail to this address, with which the user makes it the account's own."""
    return signing.dumps([user.pk.hex, user.email, email], salt=_EMAIL_SALT)


def read_email(token: str, *, user: User) -> str:
    """The address the token was made for. Raises NotFound unless it was made for this user's present email.

    So it works once: confirming another address changes the email.
    """
    try:
        user_id, present, email = signing.loads(token, salt=_EMAIL_SALT, max_age=SECONDS)
    except signing.BadSignature:
        raise NotFound("This link is invalid or older than a day. Request a new one.") from None
    if (user_id, present) != (user.pk.hex, user.email):
        raise NotFound("This link was used already, or belongs to another account than the one signed in.")
    if email not in (user.email, user.pending_email):
        raise NotFound("This change of the email was canceled. Request it again on your account page.")
    return str(email)
