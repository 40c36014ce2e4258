"""Service accounts: the users that a workspace's own API keys act as. Each belongs to one key and
those that replace it.

They cannot sign in (`models/users.py`, `web/account.py`), are no members on pages (`lookups.actor`), and get
no mails (`mails.py`). Their membership ends with the last key; the account stays until the workspace is
purged, as the gallery and the ledger name it.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import uuid4

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.access.scopes import EVERYTHING, MANAGE, WRITE
from editor.errors import InvalidInput
from editor.models import ApiKey, Membership, Role, User
from editor.models.users import SERVICE_DOMAIN
from editor.operations import audit, member_rights
from editor.queries import api_keys

HIGHEST_CAP = 2**31 - 1  # credits


def create(*, actor: Actor, name: str, scopes: Collection[str], monthly_cap: int | None) -> User:
    """An account with the least rights that the scopes need.

    Nobody can give what they do not have: to manage members, it has “Access Image Editor” if its maker
    has it. Without a scope for edits, its key cannot use that.

    monthly_cap  credits that it can spend per month; None: no limit
    Raises PermissionDenied, and InvalidInput for a cap that is impossible or higher than the actor's own.
    """
    actor.require(Permission.KEYS_MANAGE)
    _check_cap(actor, monthly_cap)
    user = User.objects.create_user(f"{uuid4()}@{SERVICE_DOMAIN}", name=name, is_service_account=True)
    edits = not {EVERYTHING, WRITE}.isdisjoint(scopes)
    gives = MANAGE in scopes and actor.may(Permission.EDIT)
    Membership.objects.create(
        workspace=actor.workspace,
        user=user,
        role=Role.ADMIN if MANAGE in scopes else Role.EDITOR if edits else Role.VIEWER,
        access_image_editor=edits or gives,
        monthly_cap=monthly_cap,
    )
    return user


def end_if_unused(user: User, *, actor: audit.By) -> None:
    """End the membership of a service account without a live key, and its open invitations.

    Does nothing to other users.
    """
    if not user.is_service_account:
        return
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one revocation at a time
    if not ApiKey.objects.filter(api_keys.live(), created_by=user).exists():
        for membership in Membership.objects.filter(user=user).select_related("workspace"):
            member_rights.revoke_invitations_by(workspace=membership.workspace, user_id=user.pk, actor=actor)
            membership.delete()


def check_cap_of(actor: Actor, account: User) -> None:
    """Raise InvalidInput if the account may spend more than the actor, who is about to get a key of it."""
    for membership in Membership.objects.filter(workspace=actor.workspace, user=account):
        _check_cap(actor, membership.monthly_cap)


def _check_cap(actor: Actor, cap: int | None) -> None:
    if cap is not None and not 0 <= cap <= HIGHEST_CAP:
        raise _wrong_cap(f"Enter a whole number of credits, at most {HIGHEST_CAP:,}, or nothing.")
    own = actor.membership.monthly_cap
    if own is not None and not actor.may(Permission.WORKSPACE_OWN) and (cap is None or cap > own):
        raise _wrong_cap(f"Enter at most {own:,}: your own limit is {own:,} credits a month.")


def _wrong_cap(message: str) -> InvalidInput:
    return InvalidInput(message, fields={"monthly_cap": message})
