"""The pages of accounts and teams with Tab, Enter, Space and Escape alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.focus import open_and_close, openers, walk
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.test_accounts import authenticator, enter_password
from tests.e2e.test_pages import settle, sign_in

OWNER = "amara@example.test"
FILL = """
from editor.access import invitation_links
from editor.models import Invitation, Role, User, Workspace
from editor.operations import api_keys, deletions, invitations, workspaces
from tests.factories import make_actor, make_provider_key
owner = User.objects.get(email="amara@example.test")
workspace = Workspace.objects.get()
actor = make_actor(workspace, user=owner)
api_keys.create(actor=actor, name="n8n")
make_provider_key(workspace=workspace, provider="bfl")
old = workspaces.create(name="Old Studio", owner=owner)
deletions.delete(actor=make_actor(old, user=owner), name="Old Studio")
[invited] = invitations.invite(actor=actor, emails=["sofia@acme.test"], role=Role.EDITOR)
mei = User.objects.get(email="mei@example.test")
print(mei.pk, invited.invitation.pk, invitation_links.token(invited.invitation))
"""
SETTINGS = "/w/acme-studio/settings/"
# {member}, {invitation} and {token} are filled in.
SIGNED_OUT = ["/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/invitations/{token}/"]
SIGNED_IN = [
    "/accounts/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/2fa/app/",  # asks for the password first
    "/accounts/logout/",
    "/invitations/{token}/",
    f"{SETTINGS}general/",
    f"{SETTINGS}general/delete/",
    f"{SETTINGS}members/",
    f"{SETTINGS}members/invite/",
    f"{SETTINGS}members/{{member}}/remove/",
    f"{SETTINGS}invitations/{{invitation}}/revoke/",
    f"{SETTINGS}api-keys/",
    f"{SETTINGS}providers/",
    f"{SETTINGS}audit/",
    f"{SETTINGS}roles/",
    "/w/acme-studio/setup/",
    "/w/acme-studio/setup/team/",
    "/workspaces/",
    "/workspaces/new/",
    "/admin/mails/",
    "/admin/mails/invited/",
]


@dataclass(frozen=True)
class Filled:
    """A portal with a team, and the owner's session as Playwright stores it."""

    portal: Portal
    ids: dict[str, str]
    session: Any

    def url(self, path: str) -> str:
        return self.portal.url + path.format(**self.ids)


@pytest.fixture(scope="module")
def filled(portals: Path, browser: Browser) -> Iterator[Filled]:
    folder = portals / "keyboard"
    folder.mkdir()
    portal = Portal(folder, SIGNUP="open")
    portal.url = portal.url.replace("127.0.0.1", "localhost")
    portal.start()
    portal.bootstrap(email=OWNER, workspace="Acme Studio", credits=100)
    portal.bootstrap(email="mei@example.test", workspace="Acme Studio", credits=100)
    printed = portal.manage("shell", "--no-imports", "-c", FILL).split()
    context = browser.new_context()
    sign_in(context.new_page(), portal, OWNER)
    session = context.storage_state()
    context.close()
    yield Filled(portal, dict(zip(("member", "invitation", "token"), printed, strict=True)), session)
    portal.remove()


WRONG = """<!DOCTYPE html>
<style>
    .plain:focus { outline: none }
    .over { position: fixed; inset: 0 0 auto; height: 40px }
    form { display: flex; flex-direction: column-reverse }
</style>
<button class="over">Over</button>
<nav><a href="#" class="plain">No outline</a> <a href="#" tabindex="-1">Left out</a></nav>
<form><button>Lower</button><button>Upper</button></form>
<button onkeydown="event.key === 'Tab' && event.preventDefault()">Trap</button>"""


def test_the_walk_finds_what_is_wrong(new_context: ContextMaker) -> None:
    page = new_context()
    page.set_content(WRONG)
    assert walk(page) == [
        "a “No outline” has no outline",
        "a “No outline” is covered or off the screen",
        "button “Upper” stands above button “Lower”",
        "button “Trap” keeps the focus",
        "a “Left out” is not reached",
    ]


def show(filled: Filled, page: Page, path: str) -> None:
    page.goto(filled.url(path))
    settle(page)


@pytest.mark.parametrize("path", SIGNED_OUT)
def test_every_control_is_reached_before_sign_in(
    filled: Filled, new_context: ContextMaker, path: str
) -> None:
    page = new_context()
    show(filled, page, path)
    assert walk(page) == []


@pytest.mark.parametrize("path", SIGNED_IN)
def test_every_control_is_reached_and_what_opens_closes(
    filled: Filled, new_context: ContextMaker, path: str
) -> None:
    page = new_context(storage_state=filled.session)
    show(filled, page, path)
    wrong = walk(page)
    for opener in openers(page):
        for key in ("Enter", "Space"):
            wrong += open_and_close(page, opener, key)
    assert wrong == []


@pytest.mark.parametrize(
    "path", ["/accounts/", f"{SETTINGS}members/", f"{SETTINGS}general/", f"{SETTINGS}audit/"]
)
def test_every_control_is_reached_in_a_narrow_window(
    filled: Filled, new_context: ContextMaker, path: str
) -> None:
    page = new_context(storage_state=filled.session, viewport={"width": 390, "height": 700})
    show(filled, page, path)
    # A member's menu stands in the corner of their card, and comes last in it as in a row of the table.
    assert [wrong for wrong in walk(page) if not wrong.startswith("button “More for")] == []


def test_a_dialog_from_a_menu_gives_the_focus_back(filled: Filled, new_context: ContextMaker) -> None:
    page = new_context(storage_state=filled.session)
    show(filled, page, f"{SETTINGS}members/")
    for act in ("Make owner", "Remove"):
        more = page.get_by_label("More for mei")
        more.press("Enter")
        page.get_by_role("button", name=act, exact=True).press("Enter")
        dialog = page.get_by_role("dialog")
        expect(dialog).to_be_visible()
        settle(page)
        assert walk(page) == []
        page.keyboard.press("Escape")
        expect(dialog).to_have_count(0)
        expect(more).to_be_focused()


def test_enter_in_its_name_adds_a_passkey(filled: Filled, new_context: ContextMaker) -> None:
    filled.portal.bootstrap(email="theo@example.test", workspace="Acme Studio", credits=1)
    page = new_context()
    authenticator(page)
    sign_in(page, filled.portal, "theo@example.test")
    page.goto(filled.url("/accounts/passkeys/add/"))
    enter_password(page)
    settle(page)
    assert walk(page) == []
    page.get_by_label("Name").fill("MacBook Pro")
    page.get_by_label("Name").press("Enter")
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    assert walk(page) == []
    page.goto(filled.url("/accounts/"))
    assert walk(page) == []
    page.get_by_role("link", name="Remove MacBook Pro").press("Enter")
    expect(page.get_by_role("heading", name="Remove “MacBook Pro”?")).to_be_visible()
    assert walk(page) == []


def test_the_first_start_is_reached(portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    page.goto(portal.url)
    settle(page)
    assert walk(page) == []
    for label, text in {"Your name": "Amara Okafor", "Email": OWNER, "Password": PASSWORD}.items():
        page.get_by_label(label).fill(text)
    page.get_by_label("Workspace name").fill("Acme Studio")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Connect a model provider")).to_be_visible()
    settle(page)
    assert walk(page) == []
