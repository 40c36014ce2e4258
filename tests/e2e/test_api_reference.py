"""The API reference in the browser: layout in both themes and sizes, navigation, copying, keyboard use."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, sign_in


def open_reference(page: Page, portal: Portal) -> Page:
    sign_in(page, portal, "amara@example.test")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="API").click()
    expect(page.get_by_role("heading", name="API", exact=True)).to_be_visible()
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_page_has_no_layout_or_accessibility_problems(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = open_reference(new_context(**size, color_scheme=theme), common_portal)
    assert_in_order(page, "API reference")
    page.get_by_role("link", name="Generate or edit an image").click()
    expect(page.get_by_role("heading", name="Generate or edit an image")).to_be_in_viewport()
    assert_in_order(page, "one call")
    sections = page.get_by_role("navigation", name="API sections")
    sections.get_by_role("link", name="Members and invitations").click()
    expect(page.get_by_role("heading", name="Members and invitations", level=1)).to_be_visible()
    assert_in_order(page, "calls about the team")


def test_nothing_overflows_between_phone_and_desktop_width(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = open_reference(new_context(), common_portal)
    for path in ("", "team/"):
        page.goto(f"{common_portal.url}/w/acme-studio/api/{path}")
        for width in (320, 600, 900, 1080):
            page.set_viewport_size({"width": width, "height": 800})
            assert_in_order(page, f"{path} {width} px wide")


def test_code_is_copied_unchanged_by_keyboard(common_portal: Portal, new_context: ContextMaker) -> None:
    page = open_reference(new_context(), common_portal)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    call = page.get_by_role("region", name="List jobs")
    call.get_by_role("button", name="Copy curl").focus()
    page.keyboard.press("Enter")
    expect(call.get_by_role("status").first).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").splitlines() == [
        f'curl "{common_portal.url}/api/v1/image-editor/jobs" \\',
        '  -H "Authorization: Bearer $ATELIER_KEY"',
    ]


def test_sections_are_reached_by_keyboard_and_the_visible_one_is_marked(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = open_reference(new_context(), common_portal)
    sections = page.get_by_role("navigation", name="API sections")
    link = sections.get_by_role("link", name="List models")
    plain = link.evaluate("(link) => getComputedStyle(link).backgroundColor")
    link.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="List models")).to_be_in_viewport()
    expect(link).not_to_have_css("background-color", plain)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Model[]")).to_be_focused()


def test_an_old_link_to_a_call_about_the_team_leads_to_it(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = open_reference(new_context(), common_portal)
    page.goto(f"{page.url}#call-invite")
    link = page.get_by_role("link", name="Invite people")
    expect(link).to_be_in_viewport()
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/api/team/#call-invite$"))
    expect(page.get_by_role("heading", name="Invite people")).to_be_in_viewport()
    page.get_by_role("region", name="Invite people").get_by_role("link", name="Errors").click()
    page.wait_for_url(re.compile("/api/#errors$"))
    expect(page.get_by_role("heading", name="Errors", level=2)).to_be_in_viewport()


def test_the_document_can_be_downloaded(common_portal: Portal, new_context: ContextMaker) -> None:
    page = open_reference(new_context(), common_portal)
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("OpenAPI")).click()
    assert download.value.suggested_filename == "openapi.json"
