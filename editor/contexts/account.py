"""A person's account page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.conf import settings

from editor.access import permissions, second_factor
from editor.access.permissions import Permission
from editor.contexts.devices import device
from editor.models import Membership, User
from editor.operations import people
from editor.queries import accounts

FEW_CODES = 3  # fewer recovery codes than this are a warning


@dataclass(frozen=True, slots=True)
class Passkey:
    id: int
    name: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Factor:
    """What the user has besides a password. `codes`: unused recovery codes, None without a list of them."""

    app: bool
    passkeys: list[Passkey]
    codes: int | None

    @property
    def on(self) -> bool:
        return self.app or bool(self.passkeys)

    @property
    def few_codes(self) -> bool:
        return self.on and self.codes is not None and self.codes < FEW_CODES


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: int
    device: str
    kind: str
    address: str
    seen_at: datetime
    current: bool


@dataclass(frozen=True, slots=True)
class Connection:
    """An identity provider. `account_id`: None if the user has not connected it."""

    provider: str
    name: str
    account_id: int | None
    who: str


@dataclass(frozen=True, slots=True)
class Leaving:
    """What becomes of the user's workspaces if they delete their account, and what stands against it."""

    stay: list[str]
    alone: list[str]
    only_owner_of: list[str]
    last_operator: bool

    @property
    def possible(self) -> bool:
        return not self.only_owner_of and not self.last_operator


@dataclass(frozen=True, slots=True)
class AccountView:
    member_of: str
    since: datetime
    confirmed: bool
    has_password: bool
    factor: Factor
    demanded_by: list[str]  # who demands a second factor that the user lacks
    sessions: list[SessionRow]
    connections: list[Connection]
    leaving: Leaving


def account(user: User, *, session_key: str | None) -> AccountView:
    memberships = accounts.memberships_of(user)
    return AccountView(
        member_of=_member_of(memberships),
        since=memberships[0].created_at if memberships else user.date_joined,
        confirmed=accounts.is_confirmed(user),
        has_password=user.has_usable_password(),
        factor=factor(user),
        demanded_by=_demanded_by(user, memberships),
        sessions=session_rows(user, session_key=session_key),
        connections=_connections(accounts.connections_of(user)),
        leaving=_leaving(user, memberships),
    )


def factor(user: User) -> Factor:
    rows = accounts.authenticators_of(user)
    codes = [row for row in rows if row.type == Authenticator.Type.RECOVERY_CODES]
    return Factor(
        app=any(row.type == Authenticator.Type.TOTP for row in rows),
        passkeys=[_passkey(row) for row in rows if row.type == Authenticator.Type.WEBAUTHN],
        codes=len(codes[0].wrap().get_unused_codes()) if codes else None,
    )


def session_rows(user: User, *, session_key: str | None) -> list[SessionRow]:
    """This device first, then the last used."""
    rows = [_session(row, session_key) for row in accounts.sessions_of(user)]
    return sorted(rows, key=lambda row: not row.current)


def time_zones() -> list[str]:
    """Names as in "Europe/Lisbon"."""
    return sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))


def _member_of(memberships: list[Membership]) -> str:
    """As in "Owner of Acme Studio"."""
    if not memberships:
        return "Not in a workspace yet"
    first, *others = memberships
    more = f" and {len(others)} more" if others else ""
    joint = "of" if permissions.allows(first, Permission.WORKSPACE_OWN) else "in"
    return f"{first.get_role_display()} {joint} {first.workspace.name}{more}"


def _demanded_by(user: User, memberships: list[Membership]) -> list[str]:
    names = [membership.workspace.name for membership in second_factor.lacking(memberships)]
    if settings.STAFF_SECOND_FACTOR and user.is_staff and not second_factor.exists(user):
        names.append(f"the admin of {settings.SITE_NAME}")
    return sorted(names)


def _passkey(row: Authenticator) -> Passkey:
    name = row.wrap().name
    return Passkey(id=row.pk, name=name, added_at=row.created_at, used_at=row.last_used_at)


def _session(row: UserSession, session_key: str | None) -> SessionRow:
    what = device(row.user_agent)
    return SessionRow(
        id=row.pk,
        device=what.name,
        kind=what.kind,
        address=row.ip,
        seen_at=row.last_seen_at.astimezone(UTC),
        current=row.session_key == session_key,
    )


def _connections(rows: list[SocialAccount]) -> list[Connection]:
    """All providers of this portal, connected or not."""
    connected = {row.provider: row for row in rows}
    return [
        Connection(
            provider=provider.id,
            name=provider.name,
            account_id=row.pk if (row := connected.get(provider.id)) else None,
            who=str(row.get_provider_account().get_user_data().get("email", "")) if row else "",
        )
        for provider in settings.OIDC_PROVIDERS.values()
    ]


def _leaving(user: User, memberships: list[Membership]) -> Leaving:
    blocking = {workspace.pk for workspace in people.only_owner_of(user)}
    alone = {workspace.pk for workspace in people.alone_in(user)}
    kept = blocking | alone
    return Leaving(
        stay=[row.workspace.name for row in memberships if row.workspace_id not in kept],
        alone=[row.workspace.name for row in memberships if row.workspace_id in alone],
        only_owner_of=[row.workspace.name for row in memberships if row.workspace_id in blocking],
        last_operator=people.is_last_operator(user),
    )
