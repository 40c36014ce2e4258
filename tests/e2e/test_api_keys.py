"""API keys in the browser: created, copied, shown only once, rotated, revoked; also without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, sign_in

BARE = re.compile(r"flk_[0-9A-Za-z]{46}")


def open_keys(page: Page, portal: Portal) -> Page:
    """The user's API keys page, without any keys."""
    portal.query("DELETE FROM editor_apikey RETURNING id")
    sign_in(page, portal, "amara@example.test")
    page.goto(f"{portal.url}/w/acme-studio/settings/api-keys/")
    return page


def dialog(page: Page) -> Locator:
    return page.get_by_role("dialog")


def make(page: Page, name: str) -> str:
    """Create a key and return its text from the page."""
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_role("heading", name=f"Key “{name}” created")).to_be_visible()
    return shown(page)


def shown(page: Page) -> str:
    text = page.locator("#made-key-text").inner_text()
    assert BARE.fullmatch(text)
    return text


def expect_forgotten(page: Page) -> None:
    """There is no dialog, and the key is no longer in the page."""
    expect(dialog(page)).to_have_count(0)
    expect(page.locator("#made-key-text")).to_have_count(0)
    assert not BARE.search(page.content())


def row(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


@pytest.fixture
def page(common_portal: Portal, new_context: ContextMaker) -> Page:
    page = open_keys(new_context(), common_portal)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    return page


def test_a_key_is_created_copied_and_never_shown_again(page: Page) -> None:
    expect(page.get_by_text("No API keys yet")).to_be_visible()
    bare = make(page, "CI pipeline")
    expect(dialog(page).get_by_role("button", name="Copy")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == bare
    page.get_by_role("button", name="I have saved it").click()
    expect_forgotten(page)
    expect(page.get_by_label("Name")).to_be_focused()
    expect(page.get_by_label("Name")).to_have_value("")
    expect(row(page, "CI pipeline")).to_contain_text("Active")
    page.reload()
    expect(row(page, "CI pipeline")).to_contain_text(bare[:12])
    assert not BARE.search(page.content())


def test_escape_closes_the_dialog_and_the_next_key_differs(page: Page) -> None:
    first = make(page, "One")
    page.keyboard.press("Escape")
    expect_forgotten(page)
    assert make(page, "Two") != first
    page.get_by_role("button", name="I have saved it").click()
    expect(page.get_by_role("rowheader")).to_have_count(2)


def test_a_click_outside_the_dialog_does_not_close_it(page: Page) -> None:
    bare = make(page, "One")
    page.mouse.click(20, 400)
    expect(dialog(page)).to_be_visible()
    assert shown(page) == bare


def test_errors_are_shown_and_the_input_stays(page: Page) -> None:
    page.get_by_label("Name").fill("x" * 81)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Enter a name of 1 to 80 characters")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("x" * 81)
    make(page, "Shorter")
    page.get_by_role("button", name="I have saved it").click()
    expect(page.get_by_text("Enter a name of 1 to 80 characters")).to_have_count(0)


def test_a_double_click_makes_one_key(page: Page, common_portal: Portal) -> None:
    page.get_by_label("Name").fill("Once")
    page.get_by_role("button", name="Create key").dblclick()
    expect(page.get_by_role("heading", name="Key “Once” created")).to_be_visible()
    assert common_portal.query("SELECT count(*) FROM editor_apikey") == [(1,)]


def test_rotating_by_keyboard_keeps_both_keys_live(page: Page) -> None:
    old = make(page, "n8n")
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name="Rotate n8n").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Rotate key “n8n”?")).to_be_visible()
    page.get_by_label("The old key stops working").select_option("In 7 days")
    page.get_by_role("button", name="Rotate key").press("Enter")
    expect(page.get_by_role("heading", name="Key “n8n” rotated")).to_be_visible()
    new = shown(page)
    assert new != old
    expect(dialog(page)).to_contain_text("The old key works until")
    page.get_by_role("button", name="I have saved it").press("Enter")
    expect_forgotten(page)
    expect(page.get_by_role("heading", name="API keys", exact=True)).to_be_focused()
    expect(row(page, new[:12])).to_contain_text("Active")
    expect(row(page, old[:12])).to_contain_text("Replaced")
    expect(page.get_by_role("button", name="Rotate n8n")).to_have_count(1)


def test_revoking_a_key_needs_confirmation(page: Page) -> None:
    make(page, "n8n")
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name="Revoke n8n").click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Revoke n8n")).to_be_focused()
    expect(row(page, "n8n")).to_contain_text("Active")
    page.get_by_role("button", name="Revoke n8n").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(row(page, "n8n")).to_contain_text("Revoked")
    expect(page.locator("#say")).to_have_text("Key “n8n” revoked.")
    expect(page.get_by_role("heading", name="API keys", exact=True)).to_be_focused()
    expect(page.get_by_role("button", name="Revoke n8n")).to_have_count(0)


def test_without_javascript_a_reload_does_not_show_the_key_again(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = open_keys(new_context(java_script_enabled=False), common_portal)
    bare = make(page, "Plain")
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("This key has already been created")).to_be_visible()
    expect(page.get_by_role("rowheader", name="Plain")).to_have_count(1)
    assert not BARE.search(page.content())
    make(page, "Another")
    page.get_by_role("link", name="I have saved it").click()
    expect(page.get_by_role("rowheader")).to_have_count(2)
    page.get_by_role("button", name="Rotate Plain").click()
    page.get_by_role("button", name="Rotate key").click()
    assert shown(page) != bare
    page.get_by_role("link", name="I have saved it").click()
    expect(page.get_by_role("rowheader")).to_have_count(3)
    page.get_by_role("button", name="Revoke Another").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Key “Another” revoked.")).to_be_visible()
    expect(row(page, "Another")).to_contain_text("Revoked")


def test_a_key_of_the_workspace_has_its_own_cap(page: Page) -> None:
    cap, workspace = (
        page.get_by_label("Monthly cap"),
        page.get_by_role("radio", name="The workspace", exact=True),
    )
    expect(page.get_by_role("radio", name="You", exact=True)).to_be_checked()
    page.get_by_role("radio", name="You", exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(workspace).to_be_checked()
    cap.fill("-1")
    page.get_by_label("Name").fill("Website")
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Enter a whole number of credits")).to_be_visible()
    cap.fill("200")
    make(page, "Website")
    page.get_by_role("button", name="I have saved it").click()
    expect(row(page, "Website")).to_contain_text("Workspace key")
    expect(row(page, "Website")).to_contain_text("200 credits a month")
    expect(page.get_by_role("radio", name="You", exact=True)).to_be_checked()
    page.get_by_role("button", name="Rotate Website").click()
    page.get_by_role("button", name="Rotate key").click()
    expect(page.get_by_role("heading", name="Key “Website” rotated")).to_be_visible()
    page.get_by_role("button", name="I have saved it").click()
    expect(page.get_by_role("row").filter(has_text="Workspace key")).to_have_count(2)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_has_no_layout_or_accessibility_problems(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = open_keys(new_context(**size, color_scheme=theme), common_portal)
    assert_in_order(page, "no keys")
    page.get_by_label("Name").fill("x" * 81)
    page.get_by_role("button", name="Create key").click()
    expect(page.get_by_text("Enter a name of 1 to 80 characters")).to_be_visible()
    assert_in_order(page, "refused")
    page.get_by_role("radio", name="The workspace", exact=True).check()
    page.get_by_label("Monthly cap").fill("200")
    assert_in_order(page, "of the workspace")
    page.get_by_label("image_editor:read").check()
    page.get_by_label("image_editor:write").check()
    page.get_by_label("Expires").select_option("In 1 year")
    make(page, "The website’s backend, with a long name and averylongwordwithoutanyspaceinit")
    assert_in_order(page, "key shown")
    page.get_by_role("button", name="Copy").click()
    assert_in_order(page, "copied")
    page.get_by_role("button", name="I have saved it").click()
    page.get_by_role("button", name=re.compile("^Rotate The website")).click()
    assert_in_order(page, "rotating")
    page.get_by_role("button", name="Rotate key").click()
    expect(page.get_by_role("heading", name=re.compile("rotated$"))).to_be_visible()
    assert_in_order(page, "rotated")
    page.get_by_role("button", name="I have saved it").click()
    assert_in_order(page, "one active, one replaced")
    page.get_by_role("button", name=re.compile("^Revoke The website")).first.click()
    assert_in_order(page, "revoking")
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    assert_in_order(page, "one revoked")
