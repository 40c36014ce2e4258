"""Invitations: what became of those just sent, and the page that a link opens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from editor.access import permissions
from editor.access.invitation_links import Opened
from editor.access.permissions import Permission
from editor.contexts.gallery import who
from editor.contexts.members import HUES, link_of
from editor.mail_addresses import normalized
from editor.models import InvitationState, Role, User
from editor.operations.invitations import Invited
from editor.queries import members

FACES = 3


@dataclass(frozen=True, slots=True)
class Sent:
    email: str
    link: str


@dataclass(frozen=True, slots=True)
class Results:
    sent: list[Sent]
    refused: list[Invited]


@dataclass(frozen=True, slots=True)
class Face:
    initials: str
    hue: int


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An invitation for whoever has its link.

    as_whom  "new": nobody is signed in; "invited": the person it is for; "other": somebody else;
             "member": a member already
    faces    a few of the people who are there
    """

    state: InvitationState
    as_whom: Literal["new", "invited", "other", "member"]
    workspace: str
    slug: str
    by: str
    by_email: str
    by_face: Face
    role: str
    may_edit: bool
    cap: int | None
    people: int
    faces: list[Face]
    email: str
    message: str
    expires_at: datetime
    signed_in_as: str


def results_view(found: Sequence[Invited], *, origin: str) -> Results:
    return Results(
        sent=[Sent(email=one.email, link=link_of(one.invitation, origin)) for one in found if one.invitation],
        refused=[one for one in found if one.problem],
    )


def invitation_view(opened: Opened, *, user: User | None) -> InvitationView:
    row = opened.invitation
    others = members.page(row.workspace, size=FACES + 1, with_spent=False)
    faces = [one.user for one in others.members if one.user_id != row.invited_by_id]
    return InvitationView(
        state=row.state,
        as_whom=_as_whom(opened, user),
        workspace=row.workspace.name,
        slug=row.workspace.slug,
        by=who(row.invited_by),
        by_email=row.invited_by.email if row.invited_by else "",
        by_face=_face(row.invited_by) if row.invited_by else Face("?", 0),
        role=Role(row.role).label,
        may_edit=permissions.allows(row, Permission.EDIT),
        cap=row.monthly_cap,
        people=others.total,
        faces=[_face(one) for one in faces[:FACES]],
        email=row.email,
        message=row.message,
        expires_at=row.expires_at,
        signed_in_as=user.email if user else "",
    )


def _as_whom(opened: Opened, user: User | None) -> Literal["new", "invited", "other", "member"]:
    row = opened.invitation
    if user is None:
        return "new"
    if row.workspace.memberships.filter(user=user).exists():
        return "member"
    return "invited" if user.email == normalized(row.email) else "other"


def _face(user: User) -> Face:
    return Face(initials=user.initials, hue=user.pk.int % HUES)
