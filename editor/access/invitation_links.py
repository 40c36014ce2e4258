"""Signed tokens of invitations. They are not stored, so the link can be shown again at any time.

A token contains the invitation's id, its nonce, and whether it was mailed: only a mailed one proves that its
holder reads mail at the address. Anybody who was given a copied one can use it.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.core import signing

from editor.errors import NotFound
from editor.models import Invitation

_SALT = "editor.invitation"
_WRONG = "This invitation link is not complete, or was replaced by a newer one. Ask for a new invitation."


@dataclass(frozen=True, slots=True)
class Opened:
    """An invitation whose link somebody has. `mailed`: they have it from the mail to its address."""

    invitation: Invitation
    mailed: bool


def token(invitation: Invitation, *, mailed: bool = False) -> str:
    """`mailed`: for the mail to the invitation's address and nothing else."""
    return signing.Signer(salt=_SALT).sign(
        f"{invitation.pk.hex}.{invitation.nonce}.{'mail' if mailed else 'copy'}"
    )


def read(token: str) -> Opened:
    """The invitation, open or not. Raises NotFound for a forged token and one with a former nonce."""
    try:
        pk, nonce, way = signing.Signer(salt=_SALT).unsign(token).split(".")
    except (signing.BadSignature, ValueError):
        raise NotFound(_WRONG) from None
    rows = Invitation.objects.select_related("workspace__plan", "invited_by")
    found = rows.filter(pk=UUID(pk), nonce=nonce, workspace__deleted_at=None).first()
    if found is None:
        raise NotFound(_WRONG)
    return Opened(invitation=found, mailed=way == "mail")
