"""Who belongs to a workspace."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from editor import events
from editor.models import Membership, User
from editor.operations import audit


@transaction.atomic
def remove(*, membership: Membership, actor: User | None) -> None:
    """Take a person out of the workspace. Their open pages and held calls end at once."""
    audit.record(
        workspace=membership.workspace, actor=actor, action="membership.removed", target=membership.user.email
    )
    membership.delete()
    events.publish(events.MemberRemoved(workspace_id=membership.workspace_id, user_id=membership.user_id))


@transaction.atomic
def save(*, membership: Membership, actor: User | None, changed: Sequence[str]) -> None:
    """Store a new or changed membership. Calls that are held end where they are no longer allowed."""
    membership.save()
    audit.record(
        workspace=membership.workspace,
        actor=actor,
        action="membership.changed",
        target=membership.user.email,
        data={"changed": list(changed), "role": membership.role},
    )
    events.publish(events.AccessChanged(workspace_id=membership.workspace_id))


def account_changed(*, user: User) -> None:
    """Tell wherever this person belongs that their account may have been switched on or off."""
    for workspace_id in user.memberships.values_list("workspace_id", flat=True):
        events.publish(events.AccessChanged(workspace_id=workspace_id))
