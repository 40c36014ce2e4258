"""A team in the browser: invited, joined by a copied link in another browser, given a role, removed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.test_accounts import authenticator
from tests.e2e.test_pages import PHONE, assert_in_order, sign_in

SETTINGS = "/w/acme-studio/settings/members/"


def open_members(page: Page, portal: Portal) -> Page:
    sign_in(page, portal, "amara@example.test")
    page.goto(portal.url + SETTINGS)
    return page


def send(page: Page, addresses: str, number: int, role: str = "Editor") -> None:
    page.get_by_role("button", name="Invite", exact=True).click()
    page.get_by_label("Email addresses").fill(addresses)
    page.get_by_role("radio", name=role).check()
    word = "invitation" if number == 1 else "invitations"
    page.get_by_role("button", name=f"Send {number} {word}").click()


def test_a_person_is_invited_joins_and_is_removed(portal: Portal, new_context: ContextMaker) -> None:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    owner = open_members(new_context(), portal)
    send(owner, "sofia@acme.test, nobody", 2)
    expect(owner.get_by_role("heading", name="1 invitation created")).to_be_visible()
    expect(owner.get_by_text("nobody is not an email address.")).to_be_visible()
    expect(owner.get_by_label("Email addresses")).to_have_value("nobody")
    assert_in_order(owner, "an address refused")
    link = owner.locator("#sent-1").inner_text()
    owner.get_by_role("button", name="Cancel").click()
    expect(owner.get_by_role("button", name="Copy link")).to_be_visible()

    sofia = new_context()
    sofia.goto(link)
    expect(sofia.get_by_role("heading", name="Join Acme Studio")).to_be_visible()
    assert_in_order(sofia, "invitation")
    sofia.get_by_label("Your name").fill("Sofia Brandt")
    sofia.get_by_label("Password").fill(PASSWORD)
    sofia.get_by_role("button", name="Join Acme Studio").click()
    sofia.wait_for_url(re.compile("/w/acme-studio/$"))
    expect(sofia.get_by_role("button", name=re.compile("^Run"))).to_be_visible()

    # The owner's page follows by the socket.
    role = owner.get_by_label("Role of Sofia Brandt")
    expect(role).to_have_value("editor")
    expect(owner.get_by_role("button", name="Copy link")).to_have_count(0)
    role.select_option("viewer")
    expect(sofia.get_by_text("You are a viewer")).to_be_visible()
    expect(sofia.get_by_role("button", name=re.compile("^Run"))).to_have_count(0)

    owner.get_by_label("More for Sofia Brandt").click()
    owner.get_by_role("button", name="Remove").click()
    expect(owner.get_by_role("heading", name="Remove Sofia Brandt?")).to_be_visible()
    owner.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(role).to_have_count(0)
    expect(sofia.get_by_text("You are no longer a member of this workspace.").first).to_be_visible()


def test_a_person_joins_with_a_passkey(portal: Portal, new_context: ContextMaker) -> None:
    portal.url = portal.url.replace("127.0.0.1", "localhost")
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    owner = open_members(new_context(), portal)
    send(owner, "sofia@acme.test", 1)
    sofia = new_context()
    authenticator(sofia)
    sofia.goto(owner.locator("#sent-1").inner_text())
    assert_in_order(sofia, "invitation with passkeys")
    sofia.get_by_role("button", name="Use a passkey instead").click()
    expect(sofia.get_by_label("Your name")).to_be_focused()  # required
    sofia.get_by_label("Your name").fill("Sofia Brandt")
    sofia.get_by_role("button", name="Use a passkey instead").click()
    sofia.wait_for_url(re.compile("/w/acme-studio/$"))
    expect(owner.get_by_label("Role of Sofia Brandt")).to_have_value("editor")
    for page in (owner, sofia):
        page.goto("about:blank")  # before their portal ends


def test_the_cap_is_changed_and_invitations_are_revoked_by_keyboard(
    portal: Portal, new_context: ContextMaker
) -> None:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    portal.bootstrap(email="mei@example.test", workspace="Acme Studio", credits=100)
    page = open_members(new_context(), portal)
    page.get_by_label("Change cap of mei").press("Enter")
    page.get_by_label("Cap of mei", exact=True).fill("lots")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Enter a whole number of credits")).to_be_visible()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("300")
    page.keyboard.press("Enter")
    expect(page.get_by_role("row").filter(has_text="mei@example.test")).to_contain_text("of 300")
    expect(page.locator(":popover-open")).to_have_count(0)
    expect(page.get_by_label("Change cap of mei")).to_be_focused()
    send(page, "x@acme.test", 1, role="Viewer")
    page.get_by_role("button", name="Done").press("Enter")
    page.get_by_role("button", name="Copy link").press("Enter")
    expect(page.get_by_text("Copied.")).to_be_visible()
    page.get_by_role("button", name="Revoke").press("Enter")
    dialog = page.get_by_role("dialog", name="Revoke the invitation of x@acme.test?")
    assert_in_order(page, "revoke an invitation")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Revoke")).to_be_focused()
    page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Revoke").press("Enter")
    expect(page.get_by_text("Nobody is invited.")).to_be_visible()
    expect(page.get_by_text("Invitation to x@acme.test revoked.").last).to_be_visible()
    expect(page.locator("dialog[open]")).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_its_pages_are_in_order(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, object], theme: str
) -> None:
    page = open_members(new_context(**size, color_scheme=theme), common_portal)
    assert_in_order(page, "members")
    page.get_by_label(re.compile("^More for")).first.click()
    assert_in_order(page, "menu of a member")
    page.keyboard.press("Escape")
    page.get_by_label(re.compile("^Change cap of")).first.click()
    assert_in_order(page, "cap of a member")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_label("Email addresses")).to_be_focused()
    assert_in_order(page, "invite")
