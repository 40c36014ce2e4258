"""People's accounts; see members.py for their memberships."""

from __future__ import annotations

from django.db import transaction
from django.db.models import QuerySet

from editor.errors import Conflict
from editor.models import ApiKey, Job, Membership, User
from editor.operations import audit, members


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The keys that act for the person, live or not."""
    return ApiKey.objects.select_related("workspace").filter(created_by=user).order_by("created_at")


def memberships_of(user: User) -> QuerySet[Membership]:
    return Membership.objects.select_related("workspace", "user").filter(user=user).order_by("created_at")


@transaction.atomic
def remove(*, user: User, actor: User | None) -> None:
    """Delete the person for good.

    Deletes their API keys, memberships, stars and sessions too. Images, edits, share links and the ledger
    stay, without their name; the audit log says which keys there were.
    Raises Conflict for oneself, and for the last operator: the portal would be open to the next visitor.
    """
    if actor is not None and user.pk == actor.pk:
        raise Conflict("You cannot delete your own account. Ask another operator to do it.")
    # One at a time, so that no two operators delete each other.
    operators = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True)
    if {operator.pk for operator in operators} == {user.pk}:
        raise Conflict("This is the last operator. Make someone else an operator first.")
    for key in keys_of(user):
        audit.record(workspace=key.workspace, actor=actor, action="api_key.removed", target=str(key))
    for membership in memberships_of(user):
        members.remove(membership=membership, actor=actor)
    # Before their images: an edit that ends in this moment would give this person one more.
    Job.objects.filter(created_by=user).update(created_by=None)
    user.delete()
