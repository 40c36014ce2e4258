"""Accounts in a browser: passkeys with Chromium's virtual authenticator, an app, sessions, the email."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order
from tests.e2e.test_sign_up_and_out import mailed_link
from tests.identity_provider.process import IdentityProvider
from tests.web.factors import code_now

ACCOUNT = "/accounts/"


@pytest.fixture(scope="module")
def shared(portals: Path) -> Iterator[Portal]:
    """A portal at localhost, where browsers allow passkeys, that writes its mails to files."""
    folder = portals / "accounts"
    folder.mkdir()
    portal = Portal(folder, EMAIL_URL=f"filemail:///{folder}/mails", SIGNUP="open")
    portal.url = portal.url.replace("127.0.0.1", "localhost")
    portal.start()
    for name in ("amara", "mei", "theo", "lena"):
        portal.bootstrap(email=f"{name}@example.test", workspace="Acme Studio", credits=100)
    yield portal
    portal.remove()


def authenticator(page: Page) -> Any:
    """A device with a fingerprint reader that always agrees."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def sign_in(page: Page, portal: Portal, email: str, password: str = PASSWORD) -> None:
    page.goto(f"{portal.url}/accounts/login/")
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(re.compile(r"/(w/.*|2fa/authenticate/)?$"))


def enter_password(page: Page) -> None:
    """Changes of the ways to sign in need it again."""
    expect(page.get_by_role("heading", name="Enter your password")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_account_pages_have_no_layout_or_accessibility_problems(
    shared: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    page.goto(f"{shared.url}/accounts/login/")
    assert_in_order(page, "sign-in with passkeys")
    sign_in(page, shared, "lena@example.test")
    page.goto(f"{shared.url}{ACCOUNT}")
    assert_in_order(page, "account")
    page.get_by_role("button", name="Sign out everywhere").click()
    assert_in_order(page, "sign out everywhere")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Set up Second factor").click()
    assert_in_order(page, "second factor")
    page.get_by_role("link", name="Set up app").click()
    assert_in_order(page, "password again")
    enter_password(page)
    expect(page.get_by_role("img", name="QR code")).to_be_visible()
    assert_in_order(page, "app")
    page.goto(f"{shared.url}/accounts/passkeys/add/")
    assert_in_order(page, "add a passkey")


def test_a_passkey_is_added_signs_in_alone_and_is_removed(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    authenticator(page)
    sign_in(page, shared, "amara@example.test")
    page.goto(f"{shared.url}{ACCOUNT}")
    page.get_by_role("link", name="Add passkey").click()
    enter_password(page)
    page.get_by_label("Name").fill("MacBook Pro")
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    expect(page.get_by_role("list", name="Recovery codes").get_by_role("listitem")).to_have_count(10)
    assert_in_order(page, "recovery codes")
    page.get_by_role("link", name="Back to your account").click()
    expect(page.get_by_role("region", name="Passkeys").get_by_text("MacBook Pro")).to_be_visible()
    expect(page.get_by_text("10 recovery codes left")).to_be_visible()

    page.goto(f"{shared.url}/accounts/logout/")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"/w/acme-studio/$"))

    page.goto(f"{shared.url}{ACCOUNT}")
    page.get_by_role("link", name="Remove MacBook Pro").click()
    enter_password(page)
    page.get_by_role("button", name="Remove passkey").click()
    expect(page.get_by_role("region", name="Passkeys").get_by_text("MacBook Pro")).to_have_count(0)


def test_without_a_passkey_the_page_says_what_happened(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    authenticator(page)
    page.goto(f"{shared.url}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.get_by_role("alert")).to_contain_text("The passkey was not used")
    assert_in_order(page, "no passkey")


def test_an_account_is_created_with_a_passkey_instead_of_a_password(
    shared: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    authenticator(page)
    page.goto(f"{shared.url}/accounts/signup/")
    page.get_by_label("Email").fill("noor@example.test")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto(mailed_link(shared, "noor@example.test").replace("127.0.0.1", "localhost"))
    page.get_by_role("button", name="Use a passkey instead").click()
    page.wait_for_url(re.compile(r"/w/noors-workspace/$"))
    page.goto(f"{shared.url}{ACCOUNT}")
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
    expect(page.get_by_text("Not set")).to_be_visible()
    page.context.clear_cookies()
    page.goto(f"{shared.url}/accounts/login/")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(re.compile(r"/w/noors-workspace/$"))


def test_an_app_is_set_up_and_asked_for_at_the_next_sign_in(
    shared: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    sign_in(page, shared, "mei@example.test")
    page.goto(f"{shared.url}{ACCOUNT}")
    page.get_by_role("link", name="Set up Second factor").click()
    page.get_by_role("link", name="Set up app").click()
    enter_password(page)
    secret = page.locator("code.secret").inner_text()
    page.get_by_role("textbox", name="Code").fill("000000")
    page.get_by_role("button", name="Turn on").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_now(page.locator("code.secret").inner_text()))
    page.get_by_role("button", name="Turn on").click()
    recovery = page.get_by_role("list", name="Recovery codes").get_by_role("listitem").first.inner_text()

    page.context.clear_cookies()
    sign_in(page, shared, "mei@example.test")
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    assert_in_order(page, "second factor asked for")
    page.get_by_role("textbox", name="Code").fill("123456")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is wrong")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(recovery)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/w/acme-studio/$"))
    page.goto(f"{shared.url}{ACCOUNT}")
    expect(page.get_by_text("9 recovery codes left")).to_be_visible()
    assert len(secret) >= 32


def test_signing_out_everywhere_keeps_this_device_and_closes_the_sockets_of_others(
    shared: Portal, new_context: ContextMaker
) -> None:
    here, there = new_context(), new_context()
    for page in (here, there):
        sign_in(page, shared, "theo@example.test")
    there.goto(f"{shared.url}/w/acme-studio/")
    here.goto(f"{shared.url}{ACCOUNT}")
    rows = here.get_by_role("region", name="Sessions").get_by_role("listitem")
    expect(rows).to_have_count(2)
    here.get_by_role("button", name="Sign out everywhere").click()
    here.get_by_role("dialog").get_by_label("Password").fill("wrong")
    here.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(here.get_by_role("dialog").get_by_text("The password is wrong")).to_be_visible()
    here.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
    here.get_by_role("dialog").get_by_role("button", name="Sign out").click()
    expect(rows).to_have_count(1)
    expect(rows.get_by_text("This device")).to_be_visible()
    expect(there.get_by_role("main").get_by_text("You are signed out")).to_be_visible()
    here.reload()
    expect(here.get_by_role("heading", name="Account", exact=True)).to_be_visible()


def test_a_changed_email_is_pending_until_its_link_is_opened(
    shared: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    sign_in(page, shared, "lena@example.test")
    page.goto(f"{shared.url}{ACCOUNT}")
    page.get_by_label("Email").fill("lena@new.test")
    page.get_by_role("button", name="Save").first.click()
    enter_password(page)
    expect(page.get_by_text("replaces your email once you open the link")).to_be_visible()
    expect(page.get_by_label("Email")).to_have_value("lena@example.test")
    assert_in_order(page, "pending email")
    page.goto(mailed_link(shared, "lena@new.test").replace("127.0.0.1", "localhost"))
    assert_in_order(page, "confirm email")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_label("Email")).to_have_value("lena@new.test")
    expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()


def test_an_identity_provider_signs_in_with_the_policy_in_force(
    portals: Path, new_context: ContextMaker
) -> None:
    """Browsers apply the policy's form-action to the redirects after a form."""
    folder = portals / "identity"
    folder.mkdir()
    with IdentityProvider(folder) as provider:
        portal = Portal(folder, SIGNUP="domains", SIGNUP_DOMAINS="acme.test", **provider.settings())
        portal.url = portal.url.replace("127.0.0.1", "localhost")
        portal.start()
        try:
            portal.bootstrap(email="first@example.test", workspace="Acme Studio", credits=1)
            provider.allow(f"{portal.url}/accounts/oidc/acme/callback/")
            provider.add("amara", password=PASSWORD)
            page = new_context()
            page.goto(f"{portal.url}/accounts/login/")
            page.get_by_role("button", name="Sign in with Acme SSO").click()
            page.get_by_label("Username").fill("amara")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign In").click()
            page.wait_for_url(re.compile(r"/w/amara-okafors-workspace/$"))
            page.goto(f"{portal.url}{ACCOUNT}")
            expect(page.get_by_text("amara@acme.test").last).to_be_visible()
            expect(page.get_by_text("Confirmed", exact=True)).to_be_visible()
            assert_in_order(page, "account of an identity provider")
            page.goto("about:blank")  # before its portal ends
        finally:
            portal.remove()


def test_members_without_the_demanded_factor_set_one_up_and_come_back(
    shared: Portal, new_context: ContextMaker
) -> None:
    shared.bootstrap(email="ines@example.test", workspace="Strict Studio", credits=1)
    page = new_context()
    sign_in(page, shared, "ines@example.test")
    demand = (
        "UPDATE editor_workspace SET second_factor_required = true WHERE slug = 'strict-studio' RETURNING id"
    )
    shared.query(demand)
    page.goto(f"{shared.url}/w/strict-studio/")
    page.wait_for_url(re.compile(f"{ACCOUNT}$"))
    expect(page.get_by_text("Strict Studio can be used only with a second factor")).to_be_visible()
    assert_in_order(page, "second factor demanded")
    authenticator(page)
    page.get_by_role("link", name="Add passkey").click()
    enter_password(page)
    page.get_by_role("button", name="Add passkey").click()
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto(f"{shared.url}/w/strict-studio/")
    expect(page).to_have_url(f"{shared.url}/w/strict-studio/")


def test_the_first_account_is_created_with_a_passkey(portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    authenticator(page)
    page.goto(portal.url.replace("127.0.0.1", "localhost"))
    page.get_by_label("Your name").fill("Amara Okafor")
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Workspace name").fill("Acme Studio")
    assert_in_order(page, "welcome with passkeys")
    page.get_by_role("button", name="Use a passkey instead").click()
    page.wait_for_url(re.compile(r"/w/acme-studio/setup/"))
    page.goto("about:blank")  # before its portal ends
