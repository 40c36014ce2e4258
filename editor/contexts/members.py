"""The Members page of a workspace's settings."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from editor.access import invitation_links, permissions, second_factor
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.gallery import who
from editor.models import Invitation, Membership, Role
from editor.operations.invitations import ROLES
from editor.queries import members
from editor.queries.members import NOTHING, Spent

HUES = 4  # colours of avatars


@dataclass(frozen=True, slots=True)
class MemberRow:
    """One member.

    roles   choices of the viewer: (value, label); empty: it cannot be changed
    spent   what they spent this month; None: the viewer may not see it
    badge   (state, text)
    may     what the viewer may do: "cap", "access", "reset", "own", "remove", "leave"
    """

    id: UUID
    name: str
    email: str
    initials: str
    hue: int
    is_you: bool
    role: str
    role_label: str
    roles: list[tuple[str, str]]
    has_access: bool
    may_edit: bool
    spent: Spent | None
    cap: int | None
    daily_cap: int | None
    is_full: bool
    last_active_at: datetime | None
    badge: tuple[str, str]
    may: frozenset[str]


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """An invitation that is neither used nor revoked. `link` is empty once it has ended."""

    id: UUID
    email: str
    role_label: str
    by: str
    created_at: datetime
    expires_at: datetime
    days: int
    is_open: bool
    link: str


@dataclass(frozen=True, slots=True)
class MembersView:
    """A page of members and of pending invitations, each PAGE long.

    seats      of the plan; None: no limit
    spent      credits this month; None: the viewer may not see it
    query      the page's query without the number, for links to other pages
    """

    rows: list[MemberRow]
    invitations: list[InvitationRow]
    words: str
    total: int
    number: int
    more_members: bool
    more_invitations: bool
    seats_used: int
    seats: int | None
    spent: int | None
    may_manage: bool
    may_see_spent: bool
    sends_mail: bool
    month: datetime


def members_view(actor: Actor, *, origin: str, words: str = "", number: int = 1) -> MembersView:
    """`origin`: scheme and host of the invitations' links."""
    workspace, may_manage = actor.workspace, actor.may(Permission.MEMBERS_MANAGE)
    may_see_spent = actor.may(Permission.USAGE_VIEW)
    page = members.page(workspace, words=words, number=number, with_spent=may_see_spent)
    owners = members.owners(workspace)
    pending = members.pending(workspace, words=words, number=number) if may_manage else []
    return MembersView(
        rows=[
            _row(
                actor,
                one,
                spent=page.spent.get(one.user_id, NOTHING) if may_see_spent else None,
                owners=owners,
                has_factor=one.user_id in page.with_factor,
            )
            for one in page.members
        ],
        invitations=[_invitation(one, origin) for one in pending[: members.PAGE]],
        words=words,
        total=page.total,
        number=number,
        more_members=page.total > number * members.PAGE,
        more_invitations=len(pending) > members.PAGE,
        seats_used=members.seats_used(workspace),
        seats=workspace.plan.seats,
        spent=members.spent(workspace) if may_see_spent else None,
        may_manage=may_manage,
        may_see_spent=may_see_spent,
        sends_mail=settings.SENDS_MAIL,
        month=timezone.now(),
    )


def member_row(actor: Actor, membership: Membership) -> MemberRow:
    """One row, after a change. `actor` with their rights after it."""
    spent = None
    if actor.may(Permission.USAGE_VIEW):
        spent = members.spending(actor.workspace, [membership.user_id]).get(membership.user_id, NOTHING)
    owners, has_factor = members.owners(actor.workspace), second_factor.exists(membership.user)
    return _row(actor, membership, spent=spent, owners=owners, has_factor=has_factor)


def free_seats(actor: Actor) -> int | None:
    """Seats that are left; None: no limit."""
    left = members.seats_left(actor.workspace)
    return None if left == math.inf else max(0, int(left))


def link_of(invitation: Invitation, origin: str) -> str:
    return f"{origin}{reverse('invitation', args=[invitation_links.token(invitation)])}"


def _row(actor: Actor, row: Membership, *, spent: Spent | None, owners: int, has_factor: bool) -> MemberRow:
    user, is_you = row.user, row.user_id == actor.user.pk
    may_edit = permissions.allows(row, Permission.EDIT)
    cap = row.monthly_cap
    full = may_edit and spent is not None and cap is not None and spent.counted >= cap
    return MemberRow(
        id=user.pk,
        name=user.display_name,
        email=user.email,
        initials=user.initials,
        hue=user.pk.int % HUES,
        is_you=is_you,
        role=row.role,
        role_label=Role(row.role).label,
        roles=_roles(actor, row, owners),
        has_access=row.access_image_editor,
        may_edit=may_edit,
        spent=spent,
        cap=cap,
        daily_cap=row.daily_cap,
        is_full=full,
        last_active_at=row.last_active_at,
        badge=_badge(row, full, lacks_factor=actor.workspace.second_factor_required and not has_factor),
        may=_may(actor, row, owners, is_you=is_you, has_factor=has_factor),
    )


def _roles(actor: Actor, row: Membership, owners: int) -> list[tuple[str, str]]:
    if not _may_change(actor, row) or (row.role == Role.OWNER and owners == 1):
        return []
    shown = [Role.OWNER, *ROLES] if row.role == Role.OWNER else ROLES
    return [(role.value, role.label) for role in shown]


def _may(actor: Actor, row: Membership, owners: int, *, is_you: bool, has_factor: bool) -> frozenset[str]:
    last_owner = row.role == Role.OWNER and owners == 1
    may = {"cap", "access"} if _may_change(actor, row) else set()
    if is_you:
        return frozenset(may if last_owner else may | {"leave"})
    if may:
        may |= {"remove"}
    if actor.may(Permission.WORKSPACE_OWN):
        may |= ({"own"} if row.role != Role.OWNER else set()) | ({"reset"} if has_factor else set())
    return frozenset(may)


def _may_change(actor: Actor, row: Membership) -> bool:
    needed = Permission.WORKSPACE_OWN if row.role == Role.OWNER else Permission.MEMBERS_MANAGE
    return actor.may(needed)


def _badge(row: Membership, is_full: bool, *, lacks_factor: bool) -> tuple[str, str]:
    if not row.user.is_active:
        return "inactive", "Deactivated"
    if lacks_factor:
        return "problem", "No second factor"
    if is_full:
        return "problem", "Cap reached"
    return "active", "Active"


def _invitation(row: Invitation, origin: str) -> InvitationRow:
    return InvitationRow(
        id=row.pk,
        email=row.email,
        role_label=Role(row.role).label,
        by=who(row.invited_by),
        created_at=row.created_at,
        expires_at=row.expires_at,
        days=max(0, math.ceil((row.expires_at - timezone.now()).total_seconds() / 86400)),
        is_open=row.is_open,
        link=link_of(row, origin) if row.is_open else "",
    )
