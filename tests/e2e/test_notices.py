"""The bell in the browser: live, by keyboard, on phones, without script; credits between workspaces."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, dismiss, sign_in

EMAIL = "amara@example.test"
LEFT = ("ws:error",)  # a page that was left while its socket was opening


@pytest.fixture
def two_workspaces(portal: Portal) -> Portal:
    """A person who owns two workspaces; one has credits just above the threshold of a low balance."""
    portal.bootstrap(email=EMAIL, workspace="Acme Studio", credits=60)
    portal.bootstrap(email=EMAIL, workspace="Acme Print", credits=0)
    return portal


def bell(page: Page, unread: int = 0) -> Any:
    name = f"Notices {unread} unread" if unread else "Notices"
    return page.get_by_role("button", name=name, exact=True)


def transfer(page: Page, amount: str) -> None:
    page.get_by_label("To", exact=True).select_option("Acme Print")
    page.get_by_label("Credits", exact=True).fill(amount)
    page.get_by_label("Note (optional)").fill("Autumn catalogue")
    page.get_by_role("button", name="Transfer").click()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_notice_arrives_on_open_pages_and_is_read(
    two_workspaces: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, two_workspaces, EMAIL)
    page.goto(f"{two_workspaces.url}/w/acme-print/gallery/")
    expect(bell(page)).to_be_visible()

    other = page.context.new_page()
    other.goto(f"{two_workspaces.url}/w/acme-studio/credits/")
    assert_in_order(other, "transfer")
    transfer(other, "61")
    expect(other.get_by_text("Enter a whole number of credits from 1 to 60.")).to_be_visible()
    assert_in_order(other, "transfer refused")
    transfer(other, "11")
    expect(other.get_by_text("11 credits transferred to “Acme Print”.")).to_be_visible()
    expect(other.get_by_text("Transferred to Acme Print").first).to_be_visible()

    # On a page of another workspace, at once.
    expect(bell(page, 1)).to_be_visible()
    toast = page.get_by_role("region", name="Notifications").get_by_text("Acme Studio has 49 credits left.")
    expect(toast).to_be_attached()
    expect(page.locator("#say")).to_have_text("Acme Studio has 49 credits left.")
    dismiss(page)

    bell(page, 1).focus()
    page.keyboard.press("Enter")
    notice = page.get_by_role("link", name=re.compile("Unread: Acme Studio has 49 credits left"))
    expect(notice).to_be_visible()
    assert_in_order(page, "bell")
    page.keyboard.press("Escape")
    expect(notice).to_be_hidden()
    expect(bell(page, 1)).to_be_focused()

    page.goto(f"{two_workspaces.url}/notices/")
    assert_in_order(page, "notices")
    page.get_by_role("main").get_by_role("link", name=re.compile("Acme Studio has 49")).click()
    page.wait_for_url("**/w/acme-studio/credits/")
    expect(bell(page)).to_be_visible()
    new_context.forgive(*LEFT)


def test_all_are_marked_as_read_behind_the_bell(two_workspaces: Portal, new_context: ContextMaker) -> None:
    page = new_context(**DESKTOP)
    sign_in(page, two_workspaces, EMAIL)
    page.goto(f"{two_workspaces.url}/w/acme-studio/credits/")
    transfer(page, "20")
    bell(page, 1).click()
    expect(page.get_by_role("link", name=re.compile("Unread:"))).to_be_visible()
    page.get_by_role("button", name="Mark all as read").click()
    expect(bell(page)).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Acme Studio has 40 credits left"))).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Unread:"))).to_have_count(0)
    new_context.forgive(*LEFT)


def test_notices_work_without_script(two_workspaces: Portal, new_context: ContextMaker) -> None:
    page = new_context(**DESKTOP, java_script_enabled=False)
    sign_in(page, two_workspaces, EMAIL)
    page.goto(f"{two_workspaces.url}/w/acme-studio/credits/")
    transfer(page, "20")
    bell(page, 1).click()
    page.get_by_role("link", name="All notices").click()
    page.get_by_role("button", name="Mark all as read").last.click()
    expect(bell(page)).to_be_visible()
    expect(page.get_by_text("Acme Studio has 40 credits left.")).to_be_visible()


@pytest.mark.parametrize("width", [320, 360, 390])
def test_the_top_bar_fits_on_small_phones(
    two_workspaces: Portal, new_context: ContextMaker, width: int
) -> None:
    page = new_context(**{**PHONE, "viewport": {"width": width, "height": 700}})
    sign_in(page, two_workspaces, EMAIL)
    for control in page.locator(".topbar > :is(a, button, nav)").all():
        box = control.bounding_box()
        if box:
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width, control.inner_text()
    new_context.forgive(*LEFT)
