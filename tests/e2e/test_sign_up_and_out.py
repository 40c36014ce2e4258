"""Sign-up by mail, and open tabs after the end of their session."""

from __future__ import annotations

import email
import re
import time
from collections.abc import Iterator
from email import policy
from pathlib import Path

import pytest
from playwright.sync_api import Page, WebSocket, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.studio import PHONE
from tests.e2e.test_pages import assert_in_order, sign_in

NEW_PASSWORD = "staple battery horse"


@pytest.fixture(scope="module")
def shared(portals: Path) -> Iterator[Portal]:
    """A portal with open sign-up that writes its mails to files."""
    folder = portals / "sign_up_and_out"
    folder.mkdir()
    portal = Portal(folder, EMAIL_URL=f"filemail:///{folder}/mails", SIGNUP="open")
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    yield portal
    portal.remove()


def mailed_link(portal: Portal, to: str) -> str:
    """Wait for the mail to this address and return its link."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for file in (portal.folder / "mails").glob("*"):
            for part in file.read_text().split("-" * 79):
                mail = email.message_from_string(part.lstrip(), policy=policy.default)
                text = mail.get_body(("plain",))
                found = text and re.search(r"http\S+/\w+/\S+", str(text.get_content()))
                if mail["To"] == to and found:
                    return str(found[0])
        time.sleep(0.1)
    raise AssertionError(f"no mail came: {portal.log.read_text()}")


@pytest.mark.parametrize("phone", [False, True], ids=["desktop", "phone"])
def test_an_account_is_created_with_the_link_in_a_mail(
    shared: Portal, new_context: ContextMaker, phone: bool
) -> None:
    page = new_context(**PHONE) if phone else new_context()
    address = f"new-{phone}@example.test".lower()
    page.goto(f"{shared.url}/accounts/login/")
    page.get_by_role("link", name="Create an account").click()
    assert_in_order(page, "sign-up")
    page.get_by_label("Email").fill(address)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    assert_in_order(page, "mail sent")
    page.goto(mailed_link(shared, address))
    expect(page.get_by_text(f"You will sign in with {address}")).to_be_visible()
    page.get_by_label("Password").fill("password12")
    page.keyboard.press("Enter")
    expect(page.get_by_text("too common")).to_be_visible()
    assert_in_order(page, "weak password")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/w/new-\w+s-workspace/$"))


def second_tab(page: Page, portal: Portal) -> tuple[Page, list[WebSocket]]:
    """Another tab of the same browser with the connected Studio, and the sockets that it opens."""
    tab = page.context.new_page()
    sockets: list[WebSocket] = []
    tab.on("websocket", lambda socket: sockets.append(socket))
    with tab.expect_websocket() as opened:
        tab.goto(f"{portal.url}/w/acme-studio/")
    opened.value.wait_for_event("framereceived")
    return tab, sockets


def test_an_open_tab_shows_the_sign_out_and_does_not_reconnect(
    shared: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    sign_in(page, shared, "amara@example.test")
    tab, sockets = second_tab(page, shared)
    page.goto(f"{shared.url}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(tab.get_by_role("main").get_by_text("You are signed out")).to_be_visible()
    expect(tab.locator("#live")).to_have_count(0)
    assert len(sockets) == 2


def test_an_open_tab_reconnects_after_a_password_change_in_the_same_browser(
    shared: Portal, new_context: ContextMaker
) -> None:
    shared.bootstrap(email="mei@example.test", workspace="Acme Studio", credits=100)
    page = new_context()
    sign_in(page, shared, "mei@example.test")
    tab, _ = second_tab(page, shared)
    page.goto(f"{shared.url}/accounts/password/change/")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    page.get_by_label("Confirm new password").fill(NEW_PASSWORD)
    with tab.expect_websocket() as again:
        page.get_by_role("button", name="Change password").click()
    # Which cookie it uses depends on timing; the user is signed in, and the page can be used.
    again.value.wait_for_event("framereceived")
    tab.reload()
    expect(tab.get_by_label("What should change?")).to_be_visible()
