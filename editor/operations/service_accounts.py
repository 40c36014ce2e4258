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
from editor.operations import audit, caps, member_rights
from editor.queries import api_keys


def create(
    *, actor: Actor, name: str, scopes: Collection[str], monthly_cap: int | None, daily_cap: int | None = None
) -> User:
    """An account with the least rights that the scopes need.

    Nobody can give what they do not have: to manage members, it has “Access Image Editor” if its maker
    has it. Without a scope for edits, its key cannot use that.

    monthly_cap, daily_cap  credits that it can spend per month and per day; None: no limit
    Raises PermissionDenied, and InvalidInput for a cap that is impossible or higher than the actor's own.
    """
    actor.require(Permission.KEYS_MANAGE)
    _check_caps(actor, monthly_cap, daily_cap)
    user = User.objects.create_user(f"{uuid4()}@{SERVICE_DOMAIN}", name=name, is_service_account=True)
    edits = not {EVERYTHING, WRITE}.isdisjoint(scopes)
    gives = MANAGE in scopes and actor.may(Permission.EDIT)
    Membership.objects.create(
        workspace=actor.workspace,
        user=user,
        role=Role.ADMIN if MANAGE in scopes else Role.EDITOR if edits else Role.VIEWER,
        access_image_editor=edits or gives,
        monthly_cap=monthly_cap,
        daily_cap=daily_cap,
    )
    return user


def set_caps(*, actor: Actor, account: User, monthly_cap: int | None, daily_cap: int | None) -> None:
    """Raises as `create` does."""
    actor.require(Permission.KEYS_MANAGE)
    _check_caps(actor, monthly_cap, daily_cap)
    rows = Membership.objects.filter(workspace=actor.workspace, user=account)
    rows.update(monthly_cap=monthly_cap, daily_cap=daily_cap)


def caps_of(account: User) -> tuple[int | None, int | None]:
    """A month's and a day's."""
    found = Membership.objects.filter(user=account).values_list("monthly_cap", "daily_cap").first()
    return found or (None, None)


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
        _check_caps(actor, membership.monthly_cap, membership.daily_cap)


def _check_caps(actor: Actor, monthly_cap: int | None, daily_cap: int | None) -> None:
    own = actor.membership
    _check_cap(actor, monthly_cap, own.monthly_cap, "monthly_cap", "a month")
    _check_cap(actor, daily_cap, own.daily_cap, "daily_cap", "a day")


def _check_cap(actor: Actor, cap: int | None, own: int | None, field: str, period: str) -> None:
    caps.checked(cap, field=field)
    if caps.is_above(cap, own) and not actor.may(Permission.WORKSPACE_OWN):
        message = f"Enter at most {own:,}: your own limit is {own:,} credits {period}."
        raise InvalidInput(message, fields={field: message})
