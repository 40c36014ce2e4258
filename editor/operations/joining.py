"""The other side of an invitation: whoever has its link declines, accepts, or creates an account with it."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor.access.invitation_links import Opened
from editor.access.permissions import Permission, having
from editor.errors import Conflict, PermissionDenied
from editor.mail_addresses import normalized
from editor.models import Invitation, Membership, Role, User, Workspace
from editor.operations import audit, invitations, mails, members, notices, workspaces
from editor.operations.second_factors import NewPasskey
from editor.queries import members as member_queries

LONGEST_NAME = 120  # characters


class HasAccount(Conflict):
    """The invited address has an account: whoever it belongs to has to sign in to it."""


@transaction.atomic
def decline(*, opened: Opened, address: str | None = None) -> None:
    """End the invitation on behalf of whoever has its link. Raises Conflict unless it is open."""
    row = _lock_open(opened.invitation)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    invitations.record(audit.Visitor(), "invitation.declined", row, address=address)


@transaction.atomic
def accept(*, opened: Opened, user: User, origin: str = "", address: str | None = None) -> Membership:
    """Make the invited person a member.

    address  their IP address
    Raises PermissionDenied for another person, and Conflict for an invitation that is not open, for a member,
    and for a plan without a seat.
    """
    row = _lock_open(opened.invitation)
    if user.email != normalized(row.email):
        raise PermissionDenied(f"This invitation is for {row.email}, and you are signed in as {user.email}.")
    if row.workspace.memberships.filter(user=user).exists():
        raise Conflict("You are a member of this workspace already.")
    if member_queries.seats_left(row.workspace) < 0:  # the invitation itself has one
        raise Conflict("All seats of the workspace's plan are taken. Ask an owner or admin of the workspace.")
    membership = Membership(
        workspace=row.workspace,
        user=user,
        role=row.role,
        access_image_editor=row.access_image_editor,
        monthly_cap=row.monthly_cap,
        daily_cap=_daily_cap(row),
    )
    members.save(membership=membership, actor=user)
    invitations.record(user, "invitation.accepted", row, address=address)
    notices.withdraw(user_id=user.pk, kind=notices.Kind.INVITED, source=str(row.pk))
    if row.invited_by:
        mails.notify(
            kind=mails.Kind.JOINED,
            email=row.invited_by.email,
            origin=origin,
            workspace=row.workspace.name,
            slug=row.workspace.slug,
            person=user.display_name,
            address=user.email,
            role=Role(row.role).label,
        )
    return membership


@transaction.atomic
def sign_up(
    *,
    opened: Opened,
    name: str,
    password: str,
    passkey: NewPasskey | None = None,
    origin: str = "",
    address: str | None = None,
) -> tuple[User, Membership]:
    """Create the invited person's account, whatever SIGNUP says, and make them a member.

    passkey  instead of a password, if `may_use_passkey`

    Raises what `accept` raises, InvalidInput for a weak password, and HasAccount.
    """
    if passkey and not may_use_passkey(opened):
        raise PermissionDenied("Choose a password. You can add a passkey once your email is confirmed.")
    email = _lock_open(opened.invitation).email
    name = " ".join(name.split())
    if not 1 <= len(name) <= LONGEST_NAME:
        raise invitations.wrong("name", f"Enter a name of 1 to {LONGEST_NAME} characters.")
    try:
        with transaction.atomic():
            user = workspaces.create_user(email=email, password=password, name=name, passkey=passkey)
    except (Conflict, IntegrityError):  # the second: an account was created at the same moment
        raise HasAccount("Sign in to join.") from None
    EmailAddress.objects.update_or_create(
        user=user, defaults={"email": user.email, "verified": opened.mailed, "primary": True}
    )
    return user, accept(opened=opened, user=user, origin=origin, address=address)


def may_use_passkey(opened: Opened) -> bool:
    """Whether the account may begin with a passkey, which would outlive a reset of the password.

    Somebody else may have been given a copied link; without a mail server, nobody could tell.
    """
    return opened.mailed or not settings.SENDS_MAIL


def _daily_cap(row: Invitation) -> int | None:
    """That of who invited them, unless it was an owner: nobody gives others more than they have."""
    inviters = Membership.objects.filter(workspace=row.workspace_id, user=row.invited_by_id)
    return inviters.exclude(having(Permission.WORKSPACE_OWN)).values_list("daily_cap", flat=True).first()


def _lock_open(invitation: Invitation) -> Invitation:
    """The row, under the workspace's lock. Raises Conflict unless it is open and its link still the same."""
    Workspace.objects.select_for_update(no_key=True).get(pk=invitation.workspace_id)
    row = invitations.reread(invitation)
    if row.nonce != invitation.nonce:
        raise Conflict("This link was replaced by a newer one. Use the link of the newest mail.")
    if not row.is_open:
        raise Conflict(invitations.ENDED[row.state])
    return row
