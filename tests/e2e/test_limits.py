"""Limits in the browser: set on the pages, shown in the Studio, on desktops and phones, light and dark."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, RUN, assert_in_order, sign_in

EMAIL = "amara@example.test"


def look(page: Page, name: str) -> None:
    """Take a screenshot, if SCREENS names a folder for them."""
    if folder := os.environ.get("SCREENS"):
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_limits_are_set_and_the_composer_says_which_binds(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, common_portal, EMAIL)
    settings = f"{common_portal.url}/w/acme-studio/settings"
    which = f"{theme}-{'phone' if size is PHONE else 'desktop'}"

    page.goto(f"{settings}/general/")
    card = page.locator("section", has=page.get_by_role("heading", name="Limits", exact=True))
    card.get_by_label("Monthly budget").fill("2000")
    card.get_by_label("Daily budget").fill("2")
    card.get_by_label("Time zone").select_option("Europe/Berlin")
    card.get_by_role("button", name="Save limits").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    expect(card.get_by_label("Daily budget")).to_have_value("2")
    assert_in_order(page, "limits of the workspace")
    look(page, f"general-{which}")

    page.goto(f"{common_portal.url}/w/acme-studio/")
    over = page.get_by_text(
        re.compile("^This needs 4 credits, and 2 credits of the workspace’s budget of today")
    )
    expect(over).to_be_visible()
    expect(
        page.get_by_text(re.compile("^0 of 2 · resets on .* · you can change it in the settings"))
    ).to_be_visible()
    assert_in_order(page, "over a limit")
    look(page, f"studio-{which}")
    page.get_by_label("What should change?").fill("a quiet harbour")
    page.get_by_role("button", name=RUN).click()
    refused = "The workspace's budget is 2 credits a day, and 0 are used."
    expect(page.get_by_text(refused)).to_be_visible()

    page.goto(f"{settings}/general/")
    card.get_by_label("Daily budget").fill("")
    card.get_by_role("button", name="Save limits").click()
    expect(card.get_by_label("Daily budget")).to_have_value("")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_model_rules_are_set_and_the_studio_disables_what_they_forbid(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, common_portal, EMAIL)
    rules = f"{common_portal.url}/w/acme-studio/settings/rules/"
    which = f"{theme}-{'phone' if size is PHONE else 'desktop'}"
    page.goto(rules)
    page.get_by_role("link", name=re.compile("^Owners")).click()
    page.get_by_label("Creative").check()
    page.get_by_label("Standard").check()
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_role("link", name="Owners Limited")).to_be_visible()
    assert_in_order(page, "model rules")
    look(page, f"rules-{which}")

    page.goto(f"{common_portal.url}/w/acme-studio/")
    if size is PHONE:
        page.get_by_role("button", name="Options", exact=True).click()
    expect(page.get_by_role("radio", name=re.compile("^Pro"))).to_be_disabled()
    expect(page.get_by_text("The rules of this workspace do not allow you Pro.")).to_be_visible()
    assert_in_order(page, "a quality that is not allowed")
    page.get_by_role("button", name=re.compile("^Model ")).click()
    flex = page.get_by_role("dialog", name="Model").get_by_role("radio", name=re.compile(r"FLUX\.2 \[flex\]"))
    expect(flex).to_be_disabled()
    assert_in_order(page, "models that are not allowed")
    look(page, f"models-{which}")

    page.goto(f"{rules}?role=owner")
    page.get_by_label("Creative").uncheck()
    page.get_by_label("Standard").uncheck()
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("Limited")).to_have_count(0)


def test_the_caps_of_a_key_are_changed_in_a_dialog(common_portal: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    sign_in(page, common_portal, EMAIL)
    page.goto(f"{common_portal.url}/w/acme-studio/settings/api-keys/")
    page.get_by_label("Name").fill("Website")
    page.get_by_label("Daily cap").fill("20")
    page.get_by_role("button", name="Create key").click()
    page.get_by_role("button", name="I have saved it").click()
    row = page.get_by_role("row", name=re.compile("Website"))
    expect(row).to_contain_text("20 credits a day")
    page.get_by_role("button", name="Caps of Website").click()
    dialog = page.get_by_role("dialog", name=re.compile("Caps of key"))
    assert_in_order(page, "caps of a key")
    look(page, "key-caps")
    dialog.get_by_label("A month").fill("-5")
    dialog.get_by_role("button", name="Save caps").click()
    dialog.get_by_label("A month").fill("300")
    dialog.get_by_role("button", name="Save caps").click()
    expect(row).to_contain_text("300 credits a month")
    expect(dialog).to_be_hidden()
