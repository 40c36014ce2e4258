"""New people and new workspaces."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from editor.access import operators
from editor.errors import Conflict, InvalidInput, LimitExceeded, PermissionDenied
from editor.mail_addresses import normalized
from editor.models import Membership, Plan, Role, User, Workspace
from editor.operations import addresses, allowances, audit, credits, locks, mails, second_factors
from editor.operations.second_factors import NewPasskey

FIRST_CREDITS = 500
LONGEST_NAME = 120  # characters
LONGEST_REASON = 200  # characters
# The plan of people who sign up uninvited. It includes little storage, for there may be many of them.
SIGN_UP_PLAN = "Sign-up"
SIGN_UP_STORAGE = 250 * 1024**2  # bytes, until an operator changes the plan
MOST_OWNED = 20  # workspaces of one person, except operators
# The number of the lock that lets one caller at a time create the first account.
_FIRST_START_LOCK = 7_210_001


def needs_first_start() -> bool:
    """True until the first person exists."""
    return not User.objects.exists()


def claim_first_start() -> bool:
    """True for a single caller, who creates the first account before its transaction ends."""
    locks.lock(_FIRST_START_LOCK)
    return needs_first_start()


@transaction.atomic
def first_start(
    *, email: str, password: str, name: str, workspace_name: str, passkey: NewPasskey | None = None
) -> tuple[User, Workspace]:
    """Create the operator: the first account, its workspace and credits to try the portal with.

    Raises PermissionDenied if there is an account already, InvalidInput for a weak password.
    """
    if not claim_first_start():
        raise PermissionDenied("The portal is already set up. Sign in, or ask for an invitation.")
    user = create_user(email=email, password=password, name=name, operator=True, passkey=passkey)
    workspace = create(name=workspace_name, owner=user)
    credits.grant(workspace=workspace, amount=FIRST_CREDITS, actor=user, note="Starting credits")
    return user, workspace


@transaction.atomic
def sign_up(*, email: str, password: str, passkey: NewPasskey | None = None) -> tuple[User, Workspace]:
    """Create an uninvited person, and a workspace of their own with the monthly credits of its plan at most.

    Raises Conflict for a known address, InvalidInput for a weak password.
    """
    try:
        with transaction.atomic():
            user = create_user(email=email, password=password, passkey=passkey)
    except IntegrityError:  # the same address, at the same moment
        raise Conflict("An account with this email already exists.") from None
    return user, create_for_sign_up(owner=user)


def create_for_sign_up(*, owner: User) -> Workspace:
    """The first workspace of a person who signed up uninvited."""
    of = "'s workspace"
    name = owner.display_name[: LONGEST_NAME - len(of)] + of
    return create(name=name, owner=owner, plan=_sign_up_plan())


def _sign_up_plan() -> Plan:
    return Plan.objects.get_or_create(name=SIGN_UP_PLAN, defaults={"storage_bytes": SIGN_UP_STORAGE})[0]


def may_create(user: User) -> bool:
    """Whether the person may create workspaces: the setting WORKSPACE_CREATION."""
    return user.is_superuser or settings.WORKSPACE_CREATION == "everyone"


@transaction.atomic
def create_own(*, user: User, name: str) -> Workspace:
    """One more workspace of a person, with the monthly credits of its plan at most.

    Raises PermissionDenied, LimitExceeded, and InvalidInput for an empty or too long name.
    """
    if not may_create(user):
        raise PermissionDenied("Only an operator of this portal can create workspaces.")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one at a time, to count them
    own = Membership.objects.filter(user=user, role=Role.OWNER)
    if not user.is_superuser and own.count() >= MOST_OWNED:
        raise LimitExceeded(f"You own {MOST_OWNED} workspaces already, and cannot create more.")
    uninvited = settings.SIGNUP != "invite" and not user.is_superuser
    return create(name=name, owner=user, plan=_sign_up_plan() if uninvited else None)


def create_user(
    *, email: str, password: str, name: str = "", operator: bool = False, passkey: NewPasskey | None = None
) -> User:
    """A new account; operators can use the admin. Raises Conflict for a known address, or InvalidInput.

    passkey  instead of a password
    """
    if passkey is None:  # first: whoever tries a weak one must not learn whether there is an account
        _validate_password(password, User(email=email, name=name))
    if User.objects.filter(email__iexact=normalized(email)).exists():
        raise Conflict("An account with this email already exists.")
    fields: dict[str, Any] = {"name": name, "is_staff": operator, "is_superuser": operator}
    try:
        if passkey is None:
            return User.objects.create_user(email, password, **fields)
        user = User.objects.create_user(email, None, id=passkey.user_id, **fields)
        second_factors.add_first(user=user, passkey=passkey)
        return user
    except ValidationError as error:
        problems = {field: " ".join(messages) for field, messages in error.message_dict.items()}
        raise InvalidInput(" ".join(problems.values()), fields=problems) from None


def _validate_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise InvalidInput(" ".join(error.messages), fields={"password": " ".join(error.messages)}) from None


@transaction.atomic
def create(*, name: str, owner: User, plan: Plan | None = None, actor: User | None = None) -> Workspace:
    """A workspace with its owner, and a credit account with the first monthly credits of its plan.

    actor  who creates it, if not the owner
    """
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        problem = f"Enter a workspace name of 1 to {LONGEST_NAME} characters."
        raise InvalidInput(problem, fields={"workspace_name": problem})
    workspace = Workspace.objects.create(
        name=name, slug=addresses.free(name=name), plan=plan or Plan.objects.get(is_default=True)
    )
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    credits.open_account(workspace=workspace)
    audit.record(workspace=workspace, actor=actor or owner, action="workspace.created", target=workspace.name)
    allowances.renew(workspace_id=workspace.pk)
    return workspace


@transaction.atomic
def create_for(*, actor: User, name: str, email: str, plan: Plan, origin: str) -> Workspace:
    """A workspace for the person with this address, for an operator.

    Without an account they get one, and a mail with a link where they choose a password. `origin`: scheme and
    host of the link.

    Raises InvalidInput, and Conflict for a disabled account.
    """
    operators.require(actor)
    email = email.strip().lower()
    owner = User.objects.filter(email=email, is_service_account=False).first()
    if owner is None:
        owner = _account_without_password(email)
        audit.record(workspace=None, actor=actor, action="account.created", target=email)
        mails.ask(kind=mails.Kind.RESET, email=email, origin=origin)
    if not owner.is_active:
        raise Conflict("The account with this address is disabled. Enable it first.")
    return create(name=name, owner=owner, plan=plan, actor=actor)


def _account_without_password(email: str) -> User:
    try:
        return User.objects.create_user(email)
    except ValidationError as error:
        problem = " ".join(error.messages)
        raise InvalidInput(problem, fields={"email": problem}) from None


@transaction.atomic
def set_plan(*, actor: User, workspace: Workspace, plan: Plan) -> None:
    """Give the workspace another plan, and the month's credits unless it has had some. Idempotent."""
    operators.require(actor)
    credits.lock_account(workspace_id=workspace.pk)  # before the workspace, as approvals do
    row = _locked(workspace)
    if row.plan_id == plan.pk:
        return
    before, row.plan = row.plan.name, plan
    row.save(update_fields=["plan"])
    audit.record(
        workspace=row,
        actor=actor,
        action="workspace.plan_changed",
        target=row.name,
        before={"plan": before},
        after={"plan": plan.name},
    )
    allowances.renew(workspace_id=row.pk)


@transaction.atomic
def suspend(*, actor: User, workspace: Workspace, reason: str) -> None:
    """Let no edit start in the workspace, for an operator. Running edits go on, and images can be seen.

    reason  1 to LONGEST_REASON characters; the members read it when they start an edit

    Idempotent. Raises InvalidInput.
    """
    operators.require(actor)
    reason = _checked_reason(reason)
    row = _locked(workspace)
    if row.suspended_at is None:
        _set_suspended(row, actor, at=timezone.now(), reason=reason, why=reason)


@transaction.atomic
def resume(*, actor: User, workspace: Workspace, reason: str) -> None:
    """Let edits start again. `reason` is for the audit log. Idempotent. Raises InvalidInput."""
    operators.require(actor)
    why = _checked_reason(reason)
    row = _locked(workspace)
    if row.suspended_at is not None:
        _set_suspended(row, actor, at=None, reason="", why=why)


def _set_suspended(row: Workspace, actor: User, *, at: datetime | None, reason: str, why: str) -> None:
    row.suspended_at, row.suspended_reason = at, reason
    row.save(update_fields=["suspended_at", "suspended_reason"])
    audit.record(
        workspace=row,
        actor=actor,
        action="workspace.suspended" if at else "workspace.resumed",
        target=row.name,
        data={"note": why},
        before={"suspended": at is None},
        after={"suspended": at is not None},
    )


def _locked(workspace: Workspace) -> Workspace:
    return (
        Workspace.objects.select_for_update(no_key=True, of=("self",))
        .select_related("plan")
        .get(pk=workspace.pk)
    )


def _checked_reason(reason: str) -> str:
    reason = " ".join(reason.split())
    if not 1 <= len(reason) <= LONGEST_REASON:
        problem = f"Enter a reason of 1 to {LONGEST_REASON} characters."
        raise InvalidInput(problem, fields={"reason": problem})
    return reason


@transaction.atomic
def save(*, workspace: Workspace) -> None:
    """Store a workspace that an operator created or changed. A new one gets a credit account.

    If its plan is another one, the month's credits come at once, unless it has had some this month.
    Raises InvalidInput for an address that is taken.
    """
    addresses.set_current(workspace=workspace, address=workspace.slug)
    credits.lock_accounts(workspace_ids=[workspace.pk])  # before the workspace, as approvals do
    workspace.save()
    credits.open_account(workspace=workspace)
    allowances.renew(workspace_id=workspace.pk)
