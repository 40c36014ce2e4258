"""People's accounts: how they sign in, where they are signed in, and where they belong."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession

from editor.access import sessions
from editor.models import Membership, User, Workspace

SESSIONS_SHOWN = 100


def is_confirmed(user: User) -> bool:
    """Whether the user has proved to read the mail of their email address."""
    confirmed: bool = EmailAddress.objects.filter(user=user, email=user.email, verified=True).exists()
    return confirmed


def authenticators_of(user: User) -> list[Authenticator]:
    """App, passkeys and recovery codes, in the order of their making."""
    return list(Authenticator.objects.filter(user=user).order_by("pk"))


def sessions_of(user: User) -> list[UserSession]:
    """The user's live sessions, the last used first, at most SESSIONS_SHOWN. Two queries."""
    rows = list(UserSession.objects.filter(user=user).order_by("-last_seen_at")[:SESSIONS_SHOWN])
    live = sessions.live(user, [row.session_key for row in rows])
    return [row for row in rows if row.session_key in live]


def connections_of(user: User) -> list[SocialAccount]:
    """The accounts at identity providers with which the user can sign in."""
    return list(SocialAccount.objects.filter(user=user).order_by("pk"))


def memberships_of(user: User) -> list[Membership]:
    """In the order of joining."""
    rows = Membership.objects.select_related("workspace", "user").filter(user=user)
    return list(rows.order_by("pk"))


def workspace_by_slug(slug: str) -> Workspace | None:
    """None for one that was deleted, too."""
    return Workspace.objects.filter(slug=slug, deleted_at=None).first()
