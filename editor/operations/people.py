"""People's accounts; see members.py for their memberships."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from editor.errors import Conflict
from editor.models import ApiKey, Job, Membership, User, Workspace
from editor.operations import audit, members

LAST_OPERATOR = "This is the last operator. Make somebody else an operator first."


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The keys that act for the person, live or not."""
    return ApiKey.objects.select_related("workspace").filter(created_by=user).order_by("created_at")


def memberships_of(user: User) -> QuerySet[Membership]:
    return Membership.objects.select_related("workspace", "user").filter(user=user).order_by("created_at")


def only_owner_of(user: User) -> list[Workspace]:
    """The workspaces whose other members have no other owner."""
    return [row.workspace for row in memberships_of(user) if members.only_owner(membership=row)]


def is_last_operator(user: User) -> bool:
    """Whether nobody else can administer the portal."""
    return [operator.pk for operator in _operators()] == [user.pk]


@transaction.atomic
def save(*, user: User) -> None:
    """Store a new or changed account. Long-lived requests end if they are no longer allowed.

    Raises Conflict if no operator would be left.
    """
    keeps_rights = user.is_active and user.is_staff and user.is_superuser
    # One at a time, so that no two operators revoke each other's rights.
    operators = _operators().select_for_update(no_key=True)
    if [operator.pk for operator in operators] == [user.pk] and not keeps_rights:
        raise Conflict(LAST_OPERATOR)
    user.save()
    members.account_changed(user=user)


@transaction.atomic
def remove(*, user: User, actor: User | None) -> None:
    """Delete the person permanently.

    Deletes their API keys, memberships, stars and sessions too. Images, edits, share links and the ledger
    stay, without their name; the audit log records the deleted keys.
    Raises Conflict for oneself, for the last operator, as the next visitor could then claim the portal,
    and for the only owner of a workspace that has other members.
    """
    if actor is not None and user.pk == actor.pk:
        raise Conflict("You cannot delete your own account. Ask another operator to do it.")
    # One at a time, so that no two operators delete each other.
    if [operator.pk for operator in _operators().select_for_update(no_key=True)] == [user.pk]:
        raise Conflict(LAST_OPERATOR)
    for key in keys_of(user):
        audit.record(workspace=key.workspace, actor=actor, action="api_key.removed", target=str(key))
    for membership in memberships_of(user):
        members.remove(membership=membership, actor=actor)
    # Before their images: an edit that ends right now would create another one for this person.
    Job.objects.filter(created_by=user).update(created_by=None)
    user.delete()


def _operators() -> QuerySet[User]:
    return User.objects.filter(is_superuser=True, is_active=True)
