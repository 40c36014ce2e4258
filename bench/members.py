"""A workspace with many members, and requests to its Members page."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from django.utils import timezone

from bench.pages import Ask
from bench.portal import SLUG
from editor.models import Invitation, Membership, Role, User, Workspace
from editor.queries.members import PAGE

MEMBERS = 10_000
_BAR = 150  # milliseconds
_PAGE = f"/w/{SLUG}/settings/members/"


def fill(slug: str, *, members: int, invitations: int = 500) -> None:
    """Add members, of whom every tenth has a cap, and open invitations."""
    workspace = Workspace.objects.get(slug=slug)
    users = User.objects.bulk_create(
        User(email=f"member{number}@team.example", name=f"Member {number:05}", password="!")  # noqa: S106
        for number in range(members)
    )
    Membership.objects.bulk_create(
        Membership(
            workspace=workspace,
            user=user,
            role=Role.EDITOR if number % 20 else Role.ADMIN,
            monthly_cap=None if number % 10 else 300,
        )
        for number, user in enumerate(users)
    )
    Invitation.objects.bulk_create(
        Invitation(
            workspace=workspace,
            email=f"invited{number}@team.example",
            nonce="bench",
            expires_at=timezone.now() + timedelta(days=7),
        )
        for number in range(invitations)
    )


def asks() -> list[Ask]:
    def found(what: str, *, htmx: bool = False, **query: str) -> Ask:
        return Ask(f"Members, {what}", f"{_PAGE}?{urlencode(query)}", _BAR, htmx=htmx)

    return [
        found("first page"),
        found("last page", page=str(MEMBERS // PAGE)),
        found("found by a word of all", q="member"),
        found("found by a rare word", q="09999", htmx=True),
        found("nobody found", q="xylophone", htmx=True),
        Ask("Members, spent and last active", f"{_PAGE}live/", _BAR, htmx=True),
    ]
