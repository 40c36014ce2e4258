"""Members and invitations, for scripts that run a team. All of it is an addition."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from editor.access import lookups
from editor.access.actor import Actor
from editor.api import team_schemas as schemas
from editor.api.authentication import MANAGE
from editor.api.examples import INVITATION, MEMBER
from editor.api.schemas import Page, errors
from editor.concurrency.threads import in_thread
from editor.errors import Conflict, InvalidInput
from editor.gateway.requests import caller, mail_origin, origin
from editor.models import Membership, Role
from editor.operations import invitations, members
from editor.operations.invitations import NOT_AN_ADDRESS, Invited
from editor.operations.members import KEEP, Keep
from editor.queries import members as member_queries
from editor.representations import members as representations

router = Router(tags=["Team"])

DEEPEST = 1_000  # pages
MemberId = Annotated[str, Path(description="A `member_id` from GET /members.", example=MEMBER)]
InvitationId = Annotated[
    str, Path(description="An `invitation_id` from GET /invitations.", example=INVITATION)
]
PageNumber = Annotated[int, Query(ge=1, le=DEEPEST, description="Page number, starting at 1.")]
PerPage = Annotated[int, Query(ge=1, le=100, description="Rows per page.")]
Words = Annotated[str, Query(max_length=200, description="A part of the name or address.")]


@router.get(
    "/members",
    response={200: schemas.MembersOut} | errors(),
    auth=MANAGE,
    operation_id="members",
    summary="List members",
)
async def list_members(
    request: HttpRequest, page: PageNumber = 1, per_page: PerPage = 50, q: Words = ""
) -> Any:
    """The workspace's members, the highest roles first, then by name."""
    workspace = caller(request).actor.workspace
    found = await in_thread(member_queries.page, workspace, words=q.strip(), number=page, size=per_page)
    data = [
        representations.member(row, spent=found.spent.get(row.user_id, member_queries.NOTHING).total)
        for row in found.members
    ]
    position = Page(page=page, per_page=per_page, has_more=found.total > page * per_page)
    return Status(200, schemas.MembersOut(data=data, pagination=position))


@router.post(
    "/members",
    response={201: schemas.InvitationOut} | errors(409),
    auth=MANAGE,
    operation_id="add_member",
    summary="Add a person",
)
async def add_member(request: HttpRequest, body: schemas.MemberIn) -> Any:
    """Invites one person. They are a member once they accept, with an account of their own.

    The response is the same whether or not the address has an account. Calling it again for the same address
    returns 409.
    """
    [one] = await in_thread(_invite, request, [body.email], body)
    if one.problem == NOT_AN_ADDRESS:
        raise InvalidInput(f"{one.email} {one.problem}", fields={"email": f"It {one.problem}"})
    if one.invitation is None:
        raise Conflict(f"{one.email} {one.problem}")
    data = representations.invitation(one.invitation, base_url=origin(request))
    return Status(201, schemas.InvitationOut(data=data))


@router.patch(
    "/members/{member_id}",
    response={200: schemas.MemberOut} | errors(404, 409),
    auth=MANAGE,
    operation_id="change_member",
    summary="Change a member",
)
async def change_member(request: HttpRequest, member_id: MemberId, body: schemas.MemberChangeIn) -> Any:
    """Changes the role, the permission or the caps; what is left out stays. It takes effect at once."""
    return Status(
        200, schemas.MemberOut(data=await in_thread(_change, caller(request).actor, member_id, body))
    )


@router.delete(
    "/members/{member_id}",
    response={200: schemas.MemberOut} | errors(404, 409),
    auth=MANAGE,
    operation_id="remove_member",
    summary="Remove a member",
)
async def remove_member(request: HttpRequest, member_id: MemberId) -> Any:
    """Removes a person. Their open pages and API keys end at once; their running edits complete."""
    return Status(200, schemas.MemberOut(data=await in_thread(_remove, caller(request).actor, member_id)))


@router.get(
    "/invitations",
    response={200: schemas.InvitationsOut} | errors(),
    auth=MANAGE,
    operation_id="invitations",
    summary="List invitations",
)
async def list_invitations(
    request: HttpRequest, page: PageNumber = 1, per_page: PerPage = 50, q: Words = ""
) -> Any:
    """The invitations that are neither used nor revoked, the most recent first."""
    workspace, base_url = caller(request).actor.workspace, origin(request)
    found = await in_thread(member_queries.pending, workspace, words=q.strip(), number=page, size=per_page)
    data = [representations.invitation(row, base_url=base_url) for row in found[:per_page]]
    position = Page(page=page, per_page=per_page, has_more=len(found) > per_page)
    return Status(200, schemas.InvitationsOut(data=data, pagination=position))


@router.post(
    "/invitations",
    response={201: schemas.InvitedOut} | errors(),
    auth=MANAGE,
    operation_id="invite",
    summary="Invite people",
)
async def invite(request: HttpRequest, body: schemas.InvitationsIn) -> Any:
    """Invites several people with the same rights, by mail if the portal has a mail server.

    Each link works once, for its address, within seven days. Addresses that could not be invited are in
    `refused`; if there are only those, the call returns 400.
    """
    found = await in_thread(_invite, request, body.emails, body)
    refused = [schemas.Refused(email=one.email, error=one.problem) for one in found if one.problem]
    if len(refused) == len(found):
        raise InvalidInput(
            " ".join(f"{one.email} {one.error}" for one in refused[:5]),
            fields={"emails": " ".join(f"{one.email} {one.error}" for one in refused)},
        )
    base_url = origin(request)
    data = [representations.invitation(one.invitation, base_url=base_url) for one in found if one.invitation]
    return Status(201, schemas.InvitedOut(data=data, refused=refused))


@router.post(
    "/invitations/{invitation_id}/send",
    response={200: schemas.InvitationOut} | errors(404, 409),
    auth=MANAGE,
    operation_id="send_invitation",
    summary="Send an invitation again",
)
async def send_invitation(request: HttpRequest, invitation_id: InvitationId) -> Any:
    """Mails the invitation again, at most once a minute. It is open for another seven days.

    An expired invitation gets a new link.
    """
    act = partial(invitations.send_again, origin=mail_origin(request))
    return await in_thread(_of_invitation, request, invitation_id, act)


@router.delete(
    "/invitations/{invitation_id}",
    response={200: schemas.InvitationOut} | errors(404, 409),
    auth=MANAGE,
    operation_id="revoke_invitation",
    summary="Revoke an invitation",
)
async def revoke_invitation(request: HttpRequest, invitation_id: InvitationId) -> Any:
    """Ends the invitation: its link no longer works. Revoking it again changes nothing."""
    return await in_thread(_of_invitation, request, invitation_id, invitations.revoke)


def _invite(request: HttpRequest, emails: list[str], body: Any) -> list[Invited]:
    return invitations.invite(
        actor=caller(request).actor,
        emails=emails,
        role=Role(body.role),
        access_image_editor=body.access_image_editor,
        monthly_cap=body.monthly_cap,
        message=body.message,
        origin=mail_origin(request),
    )


def _of_invitation(request: HttpRequest, invitation_id: str, act: Any) -> Any:
    actor = caller(request).actor
    row = act(actor=actor, invitation=lookups.invitation(actor, invitation_id))
    data = representations.invitation(row, base_url=origin(request))
    return Status(200, schemas.InvitationOut(data=data))


def _change(actor: Actor, member_id: str, body: schemas.MemberChangeIn) -> representations.Member:
    changed = members.change(
        actor=actor,
        membership=lookups.membership(actor, member_id),
        role=Role(body.role) if body.role else None,
        access_image_editor=body.access_image_editor,
        monthly_cap=_cap(body.monthly_cap),
        daily_cap=_cap(body.daily_cap),
    )
    return _member(changed)


def _cap(given: int | str | None) -> int | Keep | None:
    """The operation's argument."""
    return KEEP if given is None else None if isinstance(given, str) else given


def _remove(actor: Actor, member_id: str) -> representations.Member:
    membership = lookups.membership(actor, member_id)
    removed = _member(membership)
    members.remove(actor=actor, membership=membership)
    return removed


def _member(row: Membership) -> representations.Member:
    spent = member_queries.spent_by(row.workspace, [row.user_id])
    return representations.member(row, spent=spent.get(row.user_id, 0))
