"""Who belongs to a workspace."""

from __future__ import annotations

from django.db import transaction

from editor import events
from editor.models import Membership, User
from editor.operations import audit


@transaction.atomic
def remove(*, membership: Membership, actor: User | None) -> None:
    """Take a person out of the workspace. Their open pages are told, and closed out, at once."""
    audit.record(
        workspace=membership.workspace, actor=actor, action="membership.removed", target=membership.user.email
    )
    membership.delete()
    events.publish(events.MemberRemoved(workspace_id=membership.workspace_id, user_id=membership.user_id))
