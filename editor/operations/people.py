"""People as a whole: see members.py for what they are in a workspace."""

from __future__ import annotations

from django.db import transaction

from editor.errors import Conflict
from editor.models import ApiKey, Membership, User
from editor.operations import audit, members


@transaction.atomic
def remove(*, user: User, actor: User | None) -> None:
    """Delete the person for good.

    Their API keys stop working at once and are gone, as are their memberships, stars and sessions. Images,
    edits, share links and the ledger stay, without their name; the audit log says which keys there were.
    Raises Conflict for oneself, and for the last operator: the portal would be open to the next visitor.
    """
    if actor is not None and user.pk == actor.pk:
        raise Conflict("You cannot delete yourself. Ask another operator, or switch somebody off instead.")
    # One at a time, so that no two operators delete each other.
    operators = User.objects.select_for_update(no_key=True).filter(is_superuser=True, is_active=True)
    if {operator.pk for operator in operators} == {user.pk}:
        raise Conflict("This is the last operator: the portal would have nobody to look after it.")
    for key in ApiKey.objects.select_related("workspace").filter(created_by=user):
        audit.record(workspace=key.workspace, actor=actor, action="api_key.removed", target=str(key))
    for membership in Membership.objects.select_related("workspace", "user").filter(user=user):
        members.remove(membership=membership, actor=actor)
    user.delete()
