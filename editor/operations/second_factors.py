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

from editor.access import operators
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import NotFound, PermissionDenied
from editor.models import Membership, User, Workspace
from editor.operations import audit, mails, members, sessions

# What a person does with a factor, and the entry about it.
CHANGES = {
    "added": "account.second_factor_added",
    "removed": "account.second_factor_removed",
    "renewed": "account.second_factor_renewed",
}
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
def changed(*, user: User, action: str, what: str, session_key: str | None, address: str | None) -> None:
    """The person added, removed or renewed a second factor: their other sessions end.

    action  one of CHANGES
    what    the factor, for people
    """
    sessions.end_after_change(user=user, actor=user, but=session_key, address=address)
    members.account_changed(user=user)
    audit.record_for(
        person=user,
        actor=user,
        action=CHANGES[action],
        target=user.email,
        data={"factor": what},
        address=address,
    )
    mails.notify(kind=mails.Kind.FACTOR_CHANGED, email=user.email, change=f"{what} {action}")


def reset(*, user: User, actor: User) -> None:
    """Remove the person's authenticator app, passkeys and recovery codes, for an operator.

    Their sessions end, and they sign in with their password again, which a mail tells them.
    """
    operators.require(actor)
    _reset(user, actor, None)


@transaction.atomic
def _reset(user: User, actor: audit.By, workspace: Workspace | None) -> None:
    """`workspace`: in whose audit log it stands."""
    Authenticator.objects.filter(user=user).delete()
    sessions.end_after_change(user=user, actor=actor)
    members.account_changed(user=user)
    audit.record(workspace=workspace, actor=actor, action="account.second_factor_reset", target=user.email)
    mails.notify(kind=mails.Kind.FACTOR_CHANGED, email=user.email, change="Second factor reset")


def reset_second_factor(*, actor: Actor, membership: Membership) -> None:
    """The same, for an owner of the only workspace that the person belongs to.

    Otherwise the owner of one workspace would weaken the protection of others. Raises PermissionDenied.
    """
    user = membership.user
    actor.require(Permission.WORKSPACE_OWN)
    if membership.workspace_id != actor.workspace.pk:
        raise NotFound("There is no such member in this workspace.")
    if user.is_staff or user.memberships.exclude(workspace=actor.workspace).exists():
        raise PermissionDenied(ELSEWHERE)
    _reset(user, actor, actor.workspace)
