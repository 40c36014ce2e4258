"""Invitations: sent, sent again and revoked by owners and admins. The other side is in joining.py.

An invitation is bound to an address, works once, and ends after LIFE. Its link can be copied at any time: see
`access/invitation_links.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, InvalidInput, LimitExceeded
from editor.mail_addresses import normalized
from editor.models import Invitation, Membership, Role, Workspace
from editor.operations import audit, caps, mails, member_rights, members, notices
from editor.queries import members as member_queries

LIFE = timedelta(days=7)
MOST_AT_ONCE = 100  # addresses
MOST_A_DAY = 500  # new invitations in one workspace, and by one person: they are mails to strangers
AGAIN_AFTER = timedelta(minutes=1)
LONGEST_ADDRESS = 254  # characters
LONGEST_MESSAGE = 500  # characters
ROLES = (Role.ADMIN, Role.EDITOR, Role.VIEWER)
NO_SEAT = (
    "All seats of the workspace's plan are taken. Remove a member, revoke an invitation, or ask an operator."
)
NOT_AN_ADDRESS = "is not an email address."
ENDED = {
    "used": "This invitation was already used.",
    "revoked": "This invitation was revoked.",
    "expired": "This invitation has ended. Ask for a new one.",
}


@dataclass(frozen=True, slots=True)
class Invited:
    """What became of one address. Either `invitation` or `problem` is set."""

    email: str
    invitation: Invitation | None = None
    problem: str = ""


@transaction.atomic
def invite(
    *,
    actor: Actor,
    emails: Sequence[str],
    role: Role,
    access_image_editor: bool = True,
    monthly_cap: int | None = None,
    message: str = "",
    origin: str = "",
) -> list[Invited]:
    """Invite these addresses with the same rights. One that cannot be invited does not stop the others.

    origin  scheme and host of the links in the mails, where BASE_URL is not set
    Raises PermissionDenied, InvalidInput, and LimitExceeded after MOST_A_DAY.
    """
    actor = member_rights.lock(actor)
    rights = Invitation(
        workspace=actor.workspace,
        role=role,
        access_image_editor=access_image_editor,
        monthly_cap=caps.checked(monthly_cap),
        message=_checked_message(message),
        invited_by=actor.user,
    )
    if role not in ROLES:
        raise wrong("role", "People can be invited as admin, editor or viewer.")
    members.check_rights(actor, after=rights)
    wanted = list(dict.fromkeys(normalized(email) for email in emails if email.strip()))
    if not 1 <= len(wanted) <= MOST_AT_ONCE:
        raise wrong("emails", f"Enter 1 to {MOST_AT_ONCE} email addresses.")
    _check_day(actor, len(wanted))
    problems = _problems(actor.workspace, wanted)
    left = member_queries.seats_left(actor.workspace)
    results = []
    for email in wanted:
        if problem := problems.get(email) or ("" if left > 0 else NO_SEAT):
            results.append(Invited(email=email, problem=problem))
        else:
            made = _create(actor, rights, email=email, origin=origin)
            results.append(Invited(email=email, invitation=made))
            left -= 1
    return results


@transaction.atomic
def send_again(*, actor: Actor, invitation: Invitation, origin: str = "") -> Invitation:
    """Mail the invitation again; it is valid for another LIFE. One that had ended gets a new link.

    Raises PermissionDenied, Conflict for one that was used or revoked or has no seat, LimitExceeded for one
    that was sent a moment ago, or whose address has had too many.
    """
    actor = member_rights.lock(actor)
    row = reread(invitation)
    members.check_rights(actor, after=row)
    if row.state in ("used", "revoked"):
        raise Conflict(ENDED[row.state])
    now = timezone.now()
    if row.sent_at and row.sent_at > now - AGAIN_AFTER:
        raise LimitExceeded(
            "This invitation was sent less than a minute ago.", retry_after=AGAIN_AFTER.total_seconds()
        )
    if mails.is_full(kind=mails.Kind.INVITED, email=row.email):
        raise LimitExceeded("This address has had many invitations today. Send it again tomorrow.")
    if row.state == "expired":
        if member_queries.seats_left(actor.workspace) < 1:
            raise Conflict(NO_SEAT)
        row.nonce = _nonce()
    row.expires_at = now + LIFE
    row.sent_at, row.invited_by = now, actor.user
    row.save(update_fields=["nonce", "expires_at", "sent_at", "invited_by"])
    record(actor, "invitation.sent_again", row)
    _mail(row, origin)
    return row


@transaction.atomic
def revoke(*, actor: Actor, invitation: Invitation) -> Invitation:
    """End the invitation at once. Idempotent. Raises PermissionDenied, and Conflict if it was used."""
    actor = member_rights.lock(actor)
    actor.require(Permission.MEMBERS_MANAGE)
    row = reread(invitation)
    if row.state == "used":
        raise Conflict(ENDED["used"])
    if row.revoked_at is None:
        row.revoked_at = timezone.now()
        row.save(update_fields=["revoked_at"])
        record(actor, "invitation.revoked", row)
    return row


def _problems(workspace: Workspace, emails: Sequence[str]) -> dict[str, str]:
    """Why some of the addresses cannot be invited."""
    memberships = Membership.objects.filter(workspace=workspace, user__email__in=emails)
    found = dict.fromkeys(memberships.values_list("user__email", flat=True), "is a member already.")
    pending = Invitation.objects.filter(
        workspace=workspace, email__in=emails, accepted_at=None, revoked_at=None
    )
    for row in pending.filter(expires_at__gt=timezone.now()):
        found[row.email] = "is invited already. Send the invitation again from the list."
    for email in emails:
        if mails.is_full(kind=mails.Kind.INVITED, email=email):
            found[email] = "has had many invitations today. Invite them tomorrow."
        try:
            validate_email(email)
        except ValidationError:
            found[email] = NOT_AN_ADDRESS
        if len(email) > LONGEST_ADDRESS:
            found[email] = "is too long for an email address."
    return found


def _check_day(actor: Actor, more: int) -> None:
    today = Invitation.objects.filter(created_at__gt=timezone.now() - timedelta(days=1))
    if today.filter(workspace=actor.workspace).count() + more > MOST_A_DAY:
        raise LimitExceeded(f"A workspace can invite {MOST_A_DAY} people a day. Invite the others tomorrow.")
    if today.filter(invited_by=actor.user).count() + more > MOST_A_DAY:
        raise LimitExceeded(f"You can invite {MOST_A_DAY} people a day. Invite the others tomorrow.")


def _create(actor: Actor, rights: Invitation, *, email: str, origin: str) -> Invitation:
    now = timezone.now()
    ended = Invitation.objects.filter(
        workspace=actor.workspace, email=email, accepted_at=None, revoked_at=None
    )
    ended.update(revoked_at=now)  # it had expired; a new one replaces it
    row = Invitation.objects.create(
        workspace=actor.workspace,
        email=email,
        role=rights.role,
        access_image_editor=rights.access_image_editor,
        monthly_cap=rights.monthly_cap,
        message=rights.message,
        invited_by=actor.user,
        nonce=_nonce(),
        sent_at=now,
        expires_at=now + LIFE,
    )
    record(actor, "invitation.created", row)
    _mail(row, origin)
    _tell(row)
    return row


def _mail(row: Invitation, origin: str) -> None:
    """The link is not in the queue: `contexts/mails.py` makes it from the id."""
    mails.notify(
        kind=mails.Kind.INVITED,
        email=row.email,
        origin=origin,
        invitation=str(row.pk),
        workspace=row.workspace.name,
        by=row.invited_by.display_name if row.invited_by else "",
        role=Role(row.role).label,
        message=row.message,
    )


def _tell(row: Invitation) -> None:
    """A notice for whoever has an account with the address, and has proved that it is theirs.

    contexts/notices.py makes the link, which is not stored.
    """
    proved = EmailAddress.objects.filter(email__iexact=row.email, verified=True, user__is_active=True)
    for address in proved.select_related("user"):
        by = f"{row.invited_by.display_name} invited you" if row.invited_by else "You are invited"
        notices.add(
            user=address.user,
            kind=notices.Kind.INVITED,
            source=str(row.pk),
            text=f"{by} to {row.workspace.name}.",
        )


def reread(invitation: Invitation) -> Invitation:
    """The row as it is under the workspace's lock."""
    return Invitation.objects.select_related("workspace__plan", "invited_by").get(pk=invitation.pk)


def _checked_message(message: str) -> str:
    message = message.strip()
    if len(message) > LONGEST_MESSAGE:
        raise wrong("message", f"A message has at most {LONGEST_MESSAGE} characters.")
    return message


def _nonce() -> str:
    return secrets.token_urlsafe(16)


def wrong(field: str, problem: str) -> InvalidInput:
    return InvalidInput(problem, fields={field: problem})


def record(actor: audit.By, action: str, row: Invitation, address: str | None = None) -> None:
    audit.record(
        workspace=row.workspace,
        actor=actor,
        action=action,
        target=row.email,
        after={
            "role": Role(row.role).label,
            "Access Image Editor": "on" if row.access_image_editor else "off",
            "monthly cap": caps.described(row.monthly_cap),
        }
        if action == "invitation.created"
        else None,
        address=address,
    )
