"""New people and new workspaces."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from editor.errors import Conflict, InvalidInput, LimitExceeded, PermissionDenied
from editor.mail_addresses import normalized
from editor.models import Membership, Plan, Role, User, Workspace
from editor.operations import addresses, audit, credits, locks, second_factors
from editor.operations.second_factors import NewPasskey

FIRST_CREDITS = 500
LONGEST_NAME = 120  # characters
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
    """Create an uninvited person, and a workspace of their own without credits.

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
    """One more workspace of a person, without credits.

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
def create(*, name: str, owner: User, plan: Plan | None = None) -> Workspace:
    """A workspace with its owner and an empty credit account."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        problem = f"Enter a workspace name of 1 to {LONGEST_NAME} characters."
        raise InvalidInput(problem, fields={"workspace_name": problem})
    workspace = Workspace.objects.create(
        name=name, slug=addresses.free(name=name), plan=plan or Plan.objects.get(is_default=True)
    )
    Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
    credits.open_account(workspace=workspace)
    audit.record(workspace=workspace, actor=owner, action="workspace.created", target=workspace.name)
    return workspace


@transaction.atomic
def save(*, workspace: Workspace) -> None:
    """Store a workspace that an operator created or changed. A new one gets an empty credit account.

    Raises InvalidInput for an address that is taken.
    """
    addresses.set_current(workspace=workspace, address=workspace.slug)
    workspace.save()
    credits.open_account(workspace=workspace)
