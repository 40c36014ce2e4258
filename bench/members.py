"""A workspace with many members: `make bench-members`. Takes about two minutes."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

from bench import pages
from bench.pages import Ask
from bench.portal import OWNER, SLUG, WORKSPACE, run_inside, running_portal

EDITS = 1_000
MEMBERS = 10_000
_BAR = 150  # milliseconds
_PAGE = f"/w/{SLUG}/settings/members/"


def fill(slug: str, *, members: int, invitations: int = 500) -> None:
    """Add members, of whom every tenth has a cap, and open invitations. Runs in the portal's environment."""
    from django.utils import timezone  # noqa: PLC0415

    from editor.models import Invitation, Membership, Role, User, Workspace  # noqa: PLC0415

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
        found("a page in the middle", page="333"),
        found("last page", page="666"),
        found("found by a word of all", q="member"),
        found("found by a rare word", q="09999", htmx=True),
        found("nobody found", q="xylophone", htmx=True),
        Ask("Members, spent and last active", f"{_PAGE}live/", _BAR, htmx=True),
    ]


def _other_pages() -> list[Ask]:
    """Pages that show or offer people."""
    names = {
        "Invite": "settings/members/invite/",
        "General": "settings/general/",
        "API keys": "settings/api-keys/",
        "Credits": "credits/",
        "Audit log": "settings/audit/",
        "Gallery": "gallery/",
        "Studio": "",
    }
    return [Ask(name, f"/w/{SLUG}/{path}", _BAR) for name, path in names.items()]


def main() -> None:
    with running_portal("--no-worker") as portal:
        portal.bootstrap(email=OWNER, workspace=WORKSPACE, credits=1000)
        run_inside(portal, f"from bench.fill import fill; fill({SLUG!r}, jobs={EDITS})")
        run_inside(portal, f"from bench.members import fill; fill({SLUG!r}, members={MEMBERS})")
        title = f"Server time with {MEMBERS:,} members in the workspace"
        pages.show(title, portal, pages.sign_in(portal), [*asks(), *_other_pages()])


if __name__ == "__main__":
    main()
