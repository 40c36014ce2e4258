"""Memberships and roles. A workspace with members always has an owner.

`change`, `remove` and `leave` act for a member and check their rights; `save`, `end`, `join` and
`apply_role` are for operators, identity providers and other operations.
"""

from __future__ import annotations

from copy import copy
from enum import Enum

from django.db import transaction
from django.utils import timezone

from editor import events
from editor.access import permissions
from editor.access.actor import NOT_BY_KEY, Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, NotFound, PermissionDenied
from editor.models import Approval, Invitation, Job, Membership, Role, Status, User, Workspace
from editor.operations import api_keys, audit, caps, mails, member_rights, outcomes
from editor.queries import members as member_queries

OWNERS_ONLY = "Only an owner of this workspace can make somebody an owner, or change or remove an owner."
TOO_MUCH = "You cannot give others more than you have yourself. Ask an owner of this workspace to do it."


class Keep(Enum):
    """The value of an argument that is not given, where None means something."""

    KEEP = "keep"


KEEP = Keep.KEEP


@transaction.atomic
def change(
    *,
    actor: Actor,
    membership: Membership,
    role: Role | None = None,
    access_image_editor: bool | None = None,
    monthly_cap: int | Keep | None = KEEP,
    daily_cap: int | Keep | None = KEEP,
) -> Membership:
    """Change what a member may do; what is not given stays. Their open pages, keys and calls follow at once.

    monthly_cap, daily_cap  credits per month and per day; None: no cap
    Raises PermissionDenied, InvalidInput for an impossible cap, Conflict for the last owner, and NotFound if
    they are no longer a member.
    """
    actor = member_rights.lock(actor)
    before = _reread(membership)
    after = copy(before)
    after.role = before.role if role is None else role
    if access_image_editor is not None:
        after.access_image_editor = access_image_editor
    if monthly_cap is not KEEP:
        after.monthly_cap = caps.checked(monthly_cap)
    if daily_cap is not KEEP:
        after.daily_cap = caps.checked(daily_cap, field="daily_cap")
    check_rights(actor, after=after, before=before)
    save(membership=after, actor=actor)
    return after


@transaction.atomic
def remove(*, actor: Actor, membership: Membership) -> None:
    """Remove a member. Raises PermissionDenied, NotFound if they have left, and Conflict as `leave` does."""
    actor = member_rights.lock(actor)
    row = _reread(membership)
    check_rights(actor, before=row)
    _refuse_last_owner(row)
    end(membership=row, actor=actor)


@transaction.atomic
def leave(*, actor: Actor) -> None:
    """End one's own membership. Raises Conflict for the only owner, even if nobody else is a member."""
    actor = member_rights.lock(actor)
    _refuse_last_owner(actor.membership)
    end(membership=actor.membership, actor=actor)


@transaction.atomic
def end(*, membership: Membership, actor: audit.By) -> None:
    """Remove a person from the workspace. Their open pages, keys and long-lived requests end at once.

    Their edits go on and belong to the workspace, as their images do; those that wait for an approval are
    withdrawn. Invitations by them that are not
    accepted yet are revoked. Raises Conflict if the others would have no owner.
    """
    member_rights.lock_workspace(membership.workspace_id)
    if only_owner(membership=membership):
        raise Conflict(_only_owner_message(membership))
    audit.record(
        workspace=membership.workspace,
        actor=actor,
        action="membership.removed",
        target=membership.user.email,
        before=_described(membership),
    )
    api_keys.revoke_all_of(membership=membership, actor=actor)
    _revoke_invitations_by(membership, actor)
    _withdraw_waiting_edits(membership, actor)
    membership.delete()
    if audit.user_of(actor) != membership.user:
        _notify(mails.Kind.REMOVED, membership, actor)
    events.publish(events.MemberRemoved(workspace_id=membership.workspace_id, user_id=membership.user_id))


@transaction.atomic
def save(*, membership: Membership, actor: audit.By) -> None:
    """Store a new or changed membership. Long-lived requests end if they are no longer allowed.

    An invitation to the person is used up. Raises Conflict if the workspace would have members and no owner.
    """
    member_rights.lock_workspace(membership.workspace_id)
    before = Membership.objects.filter(pk=membership.pk).first()
    if before and membership.role != Role.OWNER and _is_last_owner(before):
        raise Conflict(_only_owner_message(membership))
    was, now = _described(before) if before else {}, _described(membership)
    changed = [name for name in now if was.get(name) != now[name]]
    if not changed:
        return
    membership.save()
    audit.record(
        workspace=membership.workspace,
        actor=actor,
        action="membership.changed" if before else "membership.added",
        target=membership.user.email,
        before={name: was[name] for name in changed} if before else None,
        after={name: now[name] for name in changed},
    )
    if before is None:
        _use_invitation(membership)
    elif before.role != membership.role and audit.user_of(actor) != membership.user:
        _notify(mails.Kind.ROLE_CHANGED, membership, actor, role=Role(membership.role).label)
    if not permissions.allows(membership, Permission.MEMBERS_MANAGE):
        _revoke_invitations_by(membership, actor)
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
    save(membership=membership, actor=actor)
    return membership


@transaction.atomic
def apply_role(*, workspace: Workspace, user: User, role: Role) -> bool:
    """Give the person the role that their identity provider names; False if the plan has no seat for them.

    Owners stay owners. What owners and admins decided stays too: the permission to edit, and the cap.
    """
    member_rights.lock_workspace(workspace.pk)
    membership = Membership.objects.filter(workspace=workspace, user=user).first()
    if membership is None and member_queries.seats_left(workspace) < 1:
        return False
    membership = membership or Membership(workspace=workspace, user=user, role=role)
    if membership.role != Role.OWNER:
        membership.role = role
        save(membership=membership, actor=None)
    return True


def only_owner(*, membership: Membership) -> bool:
    """Whether the workspace has other members, who would have no owner without this one."""
    others = Membership.objects.filter(workspace=membership.workspace_id, user__is_service_account=False)
    return _is_last_owner(membership) and others.exclude(pk=membership.pk).exists()


def account_changed(*, user: User) -> None:
    """Notify all of the person's workspaces that the account may have been enabled or disabled."""
    for workspace_id in user.memberships.values_list("workspace_id", flat=True):
        events.publish(events.AccessChanged(workspace_id=workspace_id))


def check_rights(
    actor: Actor, *, before: Membership | None = None, after: Membership | Invitation | None = None
) -> None:
    """Raise PermissionDenied unless the actor may turn `before` into `after`.

    before  None: a new member; after  None: a removed one
    """
    actor.require(Permission.MEMBERS_MANAGE)
    if actor.may(Permission.WORKSPACE_OWN):
        return
    if Role.OWNER in (before and before.role, after and after.role):
        raise PermissionDenied(NOT_BY_KEY if actor.key_id else OWNERS_ONLY)
    if after is None:
        return
    given = permissions.of(after) - (permissions.of(before) if before else frozenset())
    if given - actor.permissions or _caps_too_high(actor.membership, before, after):
        raise PermissionDenied(TOO_MUCH)


def _caps_too_high(own: Membership, before: Membership | None, after: Membership | Invitation) -> bool:
    """Whether a cap is raised above one's own. An invitation has no daily cap: see `invitations.accept`."""
    for name in ("monthly_cap", "daily_cap") if isinstance(after, Membership) else ("monthly_cap",):
        cap, was, limit = getattr(after, name), getattr(before, name, 0), getattr(own, name)
        if caps.is_above(cap, limit) and (before is None or caps.is_above(cap, was)):
            return True
    return False


def _refuse_last_owner(membership: Membership) -> None:
    if _is_last_owner(membership):
        raise Conflict(_only_owner_message(membership))


def _is_last_owner(membership: Membership) -> bool:
    owners = Membership.objects.filter(
        workspace=membership.workspace_id, role=Role.OWNER, user__is_service_account=False
    )
    return [owner.pk for owner in owners] == [membership.pk]


def _reread(membership: Membership) -> Membership:
    found = Membership.objects.select_related("workspace", "user").filter(pk=membership.pk).first()
    if found is None:
        raise NotFound(f"{membership.user.display_name} is no longer a member of this workspace.")
    return found


def _described(membership: Membership) -> dict[str, str]:
    """For the audit log."""
    return {
        "role": Role(membership.role).label,
        "Access Image Editor": "on" if membership.access_image_editor else "off",
        "monthly cap": caps.described(membership.monthly_cap),
        "daily cap": caps.described(membership.daily_cap),
    }


def _use_invitation(membership: Membership) -> None:
    """They are a member now: an invitation to them is not pending any more."""
    pending = Invitation.objects.filter(
        workspace=membership.workspace_id,
        email__iexact=membership.user.email,
        accepted_at=None,
        revoked_at=None,
    )
    pending.update(accepted_at=timezone.now(), accepted_by=membership.user)


def _revoke_invitations_by(membership: Membership, actor: audit.By) -> None:
    member_rights.revoke_invitations_by(
        workspace=membership.workspace, user_id=membership.user_id, actor=actor
    )


def _withdraw_waiting_edits(membership: Membership, actor: audit.By) -> None:
    """Nobody may approve an edit of somebody who has left."""
    waiting = Job.objects.select_for_update(no_key=True).filter(
        workspace=membership.workspace_id, created_by=membership.user_id, status=Status.WAITING
    )
    for job in waiting.order_by("pk"):
        outcomes.end_waiting(job=job, state=Approval.State.WITHDRAWN, actor=actor)


def _notify(kind: mails.Kind, membership: Membership, actor: audit.By, **details: str) -> None:
    by = audit.user_of(actor)
    mails.notify(
        kind=kind,
        email=membership.user.email,
        workspace=membership.workspace.name,
        slug=membership.workspace.slug,
        by=by.display_name if by else "",
        **details,
    )


def _only_owner_message(membership: Membership) -> str:
    return (
        f"{membership.user} is the only owner of {membership.workspace}. Make another member its owner first."
    )
