"""The audit log's entries about sign-ins, in each workspace of the person."""

from __future__ import annotations

from editor.mail_addresses import normalized
from editor.models import AuditEntry, User
from editor.operations import audit

SIGNED_IN = "account.signed_in"


def signed_in(*, user: User, how: str, device: str) -> None:
    """`how`: password, passkey and the like; `device`: as in "Chrome on macOS"."""
    data = {"how": how, "device": device}
    audit.record_for(person=user, actor=user, action=SIGNED_IN, target=user.email, data=data)


def signed_out(*, user: User) -> None:
    audit.record_for(person=user, actor=user, action="account.signed_out", target=user.email)


def failed(*, email: str) -> None:
    """Record a refused attempt to sign in. Takes as many queries whether or not there is such an account."""
    email = normalized(email)
    user = User.objects.filter(email=email).first() or User()
    audit.record_for(person=user, actor=audit.Visitor(), action="account.sign_in_failed", target=email)


def is_first(user: User) -> bool:
    """Whether the user who has just signed in had never done so before, as far as the log goes back."""
    earlier = AuditEntry.objects.filter(actor=user, action=SIGNED_IN, created_at__lt=user.last_login)
    return not earlier.exists()
