"""The rights that members have at this moment, and what ends with them; for members.py and api_keys.py."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import PermissionDenied
from editor.models import Invitation, Membership, Workspace
from editor.operations import audit


def lock(actor: Actor) -> Actor:
    """The actor with their present rights, which stay as they are until the transaction ends.

    Raises PermissionDenied if they are no longer a member.
    """
    lock_workspace(actor.workspace.pk)
    rows = Membership.objects.select_related("workspace__plan", "user")
    membership = rows.filter(pk=actor.membership.pk).first()
    if membership is None:
        raise PermissionDenied("You are no longer a member of this workspace.")
    return replace(actor, membership=membership)


def lock_workspace(workspace_id: UUID) -> None:
    """One change at a time per workspace, so that no two owners demote each other."""
    Workspace.objects.select_for_update(no_key=True).get(pk=workspace_id)


def revoke_invitations_by(*, workspace: Workspace, user_id: UUID, actor: audit.By) -> None:
    """Whoever may not invite any more has no valid links left, which they could have kept."""
    rows = Invitation.objects.filter(
        workspace=workspace, invited_by=user_id, accepted_at=None, revoked_at=None
    )
    for row in rows:
        audit.record(workspace=workspace, actor=actor, action="invitation.revoked", target=row.email)
    rows.update(revoked_at=timezone.now())
