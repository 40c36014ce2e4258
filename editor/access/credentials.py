"""Whom an API key acts for: the person who made it, with the rights they have now."""

from __future__ import annotations

from editor.access.actor import Actor
from editor.errors import NotAuthenticated, PermissionDenied
from editor.models import ApiKey, Membership


def actor_of(key: ApiKey, *, door: str) -> Actor:
    """The key's creator at work in its workspace. One query; what the key's scopes allow is not asked here.

    Raises NotAuthenticated when the key has ended, or its creator is switched off or no longer a
    member, and PermissionDenied when the creator may not edit any more.
    """
    if not key.is_live:
        raise NotAuthenticated("This API key has expired or was revoked.")
    membership = (
        Membership.objects.select_related("workspace__plan", "user")
        .filter(workspace=key.workspace_id, user=key.created_by_id, user__is_active=True)
        .first()
    )
    if membership is None:
        raise NotAuthenticated("The person who made this API key is no longer a member of its workspace.")
    if not membership.may_edit:
        raise PermissionDenied(
            "The person who made this API key does not have the “Access Image Editor” permission any more."
        )
    return Actor(user=membership.user, workspace=membership.workspace, membership=membership, door=door)
