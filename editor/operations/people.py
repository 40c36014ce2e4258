"""People's accounts; see members.py for their memberships."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Q, QuerySet

from editor.access import operators
from editor.errors import Conflict, InvalidInput
from editor.mail_addresses import normalized
from editor.models import ApiKey, Job, Membership, Role, User, Workspace
from editor.operations import audit, credits, mails, members, sessions

NAME_LENGTH = 120
OTHER_DOMAIN = "Sign-up is for other email addresses only. Ask an operator of this portal for an account."
LAST_OPERATOR = "This is the last operator. Make somebody else an operator first."

# Members of a workspace, without the accounts that its own keys act as.
_PEOPLE = Count("memberships", filter=Q(memberships__user__is_service_account=False))


def keys_of(user: User) -> QuerySet[ApiKey]:
    """The keys that act for the person, live or not."""
    return ApiKey.objects.select_related("workspace").filter(created_by=user).order_by("created_at")


def memberships_of(user: User) -> QuerySet[Membership]:
    return Membership.objects.select_related("workspace", "user").filter(user=user).order_by("created_at")


def only_owner_of(user: User) -> list[Workspace]:
    """The workspaces whose other members have no other owner."""
    own = user.memberships.filter(role=Role.OWNER).values("workspace")
    owners = Count("memberships", filter=Q(memberships__role=Role.OWNER))
    counted = Workspace.objects.filter(pk__in=own).annotate(owners=owners, people=_PEOPLE)
    return list(counted.filter(owners=1, people__gt=1).order_by("name"))


def alone_in(user: User) -> list[Workspace]:
    """The workspaces that have no other member."""
    own = user.memberships.values("workspace")
    counted = Workspace.objects.filter(pk__in=own).annotate(people=_PEOPLE)
    return list(counted.filter(people=1).order_by("name"))


def may_sign_up(email: str) -> bool:
    """Whether somebody with this address may create an account without an invitation."""
    if settings.SIGNUP == "domains":
        return normalized(email).rpartition("@")[2] in settings.SIGNUP_DOMAINS
    return bool(settings.SIGNUP == "open")


def sign_up_is_open() -> bool:
    """Whether the page for it is. Without mail, anybody could claim an address of the domains."""
    return settings.SIGNUP == "open" or (settings.SIGNUP == "domains" and settings.SENDS_MAIL)


def is_last_operator(user: User) -> bool:
    """Whether nobody else can administer the portal."""
    return [operator.pk for operator in _operators()] == [user.pk]


@transaction.atomic
def save(*, user: User) -> None:
    """Store a new or changed account. Long-lived requests end if they are no longer allowed.

    Raises Conflict if no operator would be left.
    """
    keeps_rights = user.is_active and user.is_staff and user.is_superuser
    # One at a time, so that no two operators revoke each other's rights.
    operators = _operators().select_for_update(no_key=True)
    if [operator.pk for operator in operators] == [user.pk] and not keeps_rights:
        raise Conflict(LAST_OPERATOR)
    user.save()
    members.account_changed(user=user)


@transaction.atomic
def set_active(*, user: User, actor: User, active: bool) -> None:
    """Disable or enable the account, for an operator. Idempotent. Disabling it ends sessions and API calls.

    Raises Conflict for oneself.
    """
    operators.require(actor)
    if user.pk == actor.pk:
        raise Conflict("You cannot disable your own account.")
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    if row.is_active == active:
        return
    row.is_active = active
    save(user=row)
    if not active:
        sessions.end_after_change(user=row, actor=actor)
    audit.record_for(
        person=row,
        actor=actor,
        action="account.enabled" if active else "account.disabled",
        target=row.email,
        before={"is_active": not active},
        after={"is_active": active},
    )


@transaction.atomic
def remove(*, user: User, actor: User | None) -> None:
    """Delete the person permanently.

    Deletes their API keys, memberships, stars and sessions too. Images, edits, share links and the ledger
    stay, without their name; the audit log records the deleted keys.
    Raises Conflict for oneself, for the last operator, as the next visitor could then claim the portal,
    and for the only owner of a workspace that has other members.
    """
    if actor is not None and user.pk == actor.pk:
        raise Conflict("Delete your own account on its account page.")
    _delete(user, actor)


@transaction.atomic
def remove_self(*, user: User) -> None:
    """Delete one's own account, as `remove` does. Raises Conflict for the last operator and the only owner
    of a workspace that has other members.
    """
    _delete(user, user)


@transaction.atomic
def rename(*, user: User, name: str) -> None:
    """Raises InvalidInput for more than 120 characters. Without a name, the email stands for it."""
    name = " ".join(name.split())
    if len(name) > NAME_LENGTH:
        problem = f"A name has at most {NAME_LENGTH} characters."
        raise InvalidInput(problem, fields={"name": problem})
    user.name = name
    user.save(update_fields=["name"])


def set_time_zone(*, user: User, name: str) -> None:
    """Show the user's times in this zone, as in "Europe/Lisbon"; "": in that of their browser."""
    user.time_zone = name
    user.save(update_fields=["time_zone"])


def set_approval_mails(*, user: User, wanted: bool) -> None:
    """Whether the person gets mail when an edit waits for their approval, and when theirs is answered."""
    user.approval_mails = wanted
    user.save(update_fields=["approval_mails"])


@transaction.atomic
def request_email(*, user: User, email: str, origin: str) -> None:
    """Make this the account's email once the link mailed to it is opened.

    The current email can be confirmed in the same way. `origin`: scheme and host of the link. Whether the
    address belongs to another account is told only to those who read its mail.
    """
    email = normalized(email)
    user.pending_email = "" if email == user.email else email
    user.save(update_fields=["pending_email"])
    mails.ask(kind=mails.Kind.CONFIRM, email=email, origin=origin, user_id=str(user.pk))


@transaction.atomic
def keep_email(*, user: User) -> None:
    """Forget the email that was to replace the current one."""
    user.pending_email = ""
    user.save(update_fields=["pending_email"])


@transaction.atomic
def confirm_email(*, user: User, email: str, address: str | None = None) -> None:
    """Make this the account's email: somebody has proved to read its mail. A mail tells the former address.

    Raises Conflict if it belongs to another account by now.
    """
    former, user.email, user.pending_email = user.email, email, ""
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "pending_email"])
    except IntegrityError:
        raise Conflict("Another account uses this email. Choose another one on your account page.") from None
    EmailAddress.objects.update_or_create(
        user=user, defaults={"email": user.email, "verified": True, "primary": True}
    )
    if user.email != former:
        before, after = {"email": former}, {"email": user.email}
        record(user=user, action="account.email_changed", address=address, before=before, after=after)
        mails.notify(kind=mails.Kind.EMAIL_CHANGED, email=former, new=user.email)


@transaction.atomic
def password_changed(*, user: User, session_key: str | None = None, address: str | None = None) -> None:
    """End the person's other sessions, and tell them by mail. `session_key`: the one that stays."""
    sessions.end_after_change(user=user, actor=user, but=session_key, address=address)
    record(user=user, action="account.password_changed", address=address)
    mails.notify(kind=mails.Kind.PASSWORD_CHANGED, email=user.email)


@transaction.atomic
def record(
    *,
    user: User,
    action: str,
    address: str | None = None,
    data: Mapping[str, Any] | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Record what a person did with their own account."""
    audit.record_for(
        person=user,
        actor=user,
        action=action,
        target=user.email,
        address=address,
        data=data,
        before=before,
        after=after,
    )


def _delete(user: User, actor: User | None) -> None:
    # One at a time, so that no two operators delete each other.
    if [operator.pk for operator in _operators().select_for_update(no_key=True)] == [user.pk]:
        raise Conflict(LAST_OPERATOR)
    memberships = memberships_of(user)
    # An edit that starts right now refers to the person and their key: wait for it, and let no other start.
    credits.lock_accounts(workspace_ids=[one.workspace_id for one in memberships])
    for key in keys_of(user):
        audit.record(workspace=key.workspace, actor=actor, action="api_key.removed", target=str(key))
    for membership in memberships:
        members.end(membership=membership, actor=actor)
    audit.record(workspace=None, actor=actor, action="account.deleted", target=user.email)
    # Before their images: an edit that ends right now would create another one for this person.
    Job.objects.filter(created_by=user).update(created_by=None)
    user.delete()


def _operators() -> QuerySet[User]:
    return User.objects.filter(is_superuser=True, is_active=True)
