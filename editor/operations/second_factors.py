"""Second factors: what follows a change, and their reset for people who have lost theirs.

allauth's pages set them up and remove them; see editor/web/second_factor.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.db import transaction

from editor.access.actor import Actor
from editor.errors import PermissionDenied
from editor.models import Membership, Role, User
from editor.operations import members, sessions

ELSEWHERE = (
    "Only an operator of this portal can reset this person's second factor: they are a member of other "
    "workspaces too, or an operator themselves."
)


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey made for an account that is still to be created, with this id: the passkey contains it.

    credential  what the browser returned, checked
    """

    user_id: UUID
    name: str
    credential: dict[str, Any]


def add_first(*, user: User, passkey: NewPasskey) -> None:
    """Store the passkey with which the account was created."""
    WebAuthn.add(user, passkey.name, passkey.credential)


@transaction.atomic
def changed(*, user: User, session_key: str | None) -> None:
    """The person added, removed or renewed a second factor: their other sessions end."""
    sessions.end_all(user=user, but=session_key)
    members.account_changed(user=user)


@transaction.atomic
def reset(*, user: User, actor: User | None) -> None:
    """Remove the person's authenticator app, passkeys and recovery codes, for an operator.

    Their sessions end, and they sign in with their password again.
    """
    Authenticator.objects.filter(user=user).delete()
    changed(user=user, session_key=None)


@transaction.atomic
def reset_second_factor(*, actor: Actor, membership: Membership) -> None:
    """The same, for an owner of the only workspace that the person belongs to.

    Otherwise the owner of one workspace would weaken the protection of others. Raises PermissionDenied.
    """
    user = membership.user
    if actor.membership.role != Role.OWNER or membership.workspace_id != actor.workspace.pk:
        raise PermissionDenied("Only an owner of this workspace can reset a member's second factor.")
    if user.is_staff or user.memberships.exclude(workspace=actor.workspace).exists():
        raise PermissionDenied(ELSEWHERE)
    reset(user=user, actor=actor.user)
