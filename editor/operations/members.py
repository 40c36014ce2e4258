"""Memberships and roles. A workspace with members always has an owner."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from editor import events
from editor.access.actor import Actor
from editor.errors import Conflict
from editor.models import Membership, Role, User, Workspace
from editor.operations import audit


@transaction.atomic
def remove(*, membership: Membership, actor: audit.By) -> None:
    """Remove a person from the workspace. Their open pages and long-lived requests end at once.

    Raises Conflict if the others would have no owner.
    """
    _lock(membership)
    if only_owner(membership=membership):
        raise Conflict(_only_owner_message(membership))
    audit.record(
        workspace=membership.workspace, actor=actor, action="membership.removed", target=membership.user.email
    )
    membership.delete()
    events.publish(events.MemberRemoved(workspace_id=membership.workspace_id, user_id=membership.user_id))


@transaction.atomic
def leave(*, actor: Actor) -> None:
    """Leave the workspace. Raises Conflict for its only owner, also if nobody else is in it."""
    _lock(actor.membership)
    if _is_last_owner(actor.membership):
        raise Conflict(_only_owner_message(actor.membership))
    remove(membership=actor.membership, actor=actor)


@transaction.atomic
def save(*, membership: Membership, actor: audit.By, changed: Sequence[str]) -> None:
    """Store a new or changed membership. Long-lived requests end if they are no longer allowed.

    Raises Conflict if the workspace would have members and no owner.
    """
    _lock(membership)
    before = Membership.objects.filter(pk=membership.pk).first()
    if before and membership.role != Role.OWNER and _is_last_owner(before):
        raise Conflict(_only_owner_message(membership))
    membership.save()
    data = {"changed": list(changed), "role": membership.role}
    audit.record(
        workspace=membership.workspace,
        actor=actor,
        action="membership.changed" if before else "membership.added",
        target=membership.user.email,
        data=data | ({"was": before.role} if before else {}),
    )
    events.publish(events.AccessChanged(workspace_id=membership.workspace_id))


def join(*, workspace: Workspace, user: User, role: Role | None, actor: audit.By) -> Membership:
    """Make the person a member with this role, whose edits are not switched off. Idempotent.

    role  None: a member stays as they are; a new one becomes an editor, or the owner of an empty workspace
    Raises Conflict if the others would have no owner.
    """
    membership = Membership.objects.filter(workspace=workspace, user=user).first()
    wanted = role or (Role.EDITOR if workspace.memberships.exists() else Role.OWNER)
    if membership is None:
        membership = Membership(workspace=workspace, user=user)
    elif role is None or (membership.role == wanted and membership.access_image_editor):
        return membership
    membership.role, membership.access_image_editor = wanted, True
    save(membership=membership, actor=actor, changed=["role", "access_image_editor"])
    return membership


def only_owner(*, membership: Membership) -> bool:
    """Whether the workspace has other members, who would have no owner without this one."""
    others = Membership.objects.filter(workspace=membership.workspace_id).exclude(pk=membership.pk)
    return _is_last_owner(membership) and others.exists()


def account_changed(*, user: User) -> None:
    """Notify all of the person's workspaces that the account may have been enabled or disabled."""
    for workspace_id in user.memberships.values_list("workspace_id", flat=True):
        events.publish(events.AccessChanged(workspace_id=workspace_id))


def _is_last_owner(membership: Membership) -> bool:
    owners = Membership.objects.filter(workspace=membership.workspace_id, role=Role.OWNER)
    return [owner.pk for owner in owners] == [membership.pk]


def _lock(membership: Membership) -> None:
    """One change at a time per workspace, so that no two owners demote each other."""
    Workspace.objects.select_for_update(no_key=True).get(pk=membership.workspace_id)


def _only_owner_message(membership: Membership) -> str:
    return (
        f"{membership.user} is the only owner of {membership.workspace}. Make another member its owner first."
    )
