"""Further states of the Studio in both themes and sizes: no findings of axe, no overflow, no layout shift."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import PHONE, Studio, picture
from tests.e2e.test_pages import assert_in_order, dismiss, settle


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_states_have_no_layout_or_accessibility_problems(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    studio = Studio(page, common_portal).begin()
    for colour in ("red", "blue"):
        studio.drop(".composer", picture(colour))
    expect(studio.references).to_have_count(2)
    assert_in_order(page, "references")
    page.evaluate("document.body.classList.add('dropping')")
    assert_in_order(page, "dropping")
    page.evaluate("document.body.classList.remove('dropping')")
    for reference in reversed(studio.references.all()):
        reference.get_by_role("button", name="Remove").click()

    if size is PHONE:
        page.get_by_role("button", name="Options", exact=True).click()
    page.get_by_role("radio", name="Creative").check(force=True)
    page.get_by_role("group", name="Samples").get_by_role("radio", name="4").check(force=True)
    if size is PHONE:
        page.get_by_role("button", name="Close options").click()
    studio.run("make it warmer")
    samples = page.get_by_role("list", name="Samples").get_by_role("link")
    expect(samples).to_have_count(4)
    assert_in_order(page, "samples")
    samples.last.click()
    studio.expect_editing("v5")
    dismiss(page)
    page.locator("#rail li").nth(1).hover()
    page.get_by_role("button", name="Compare with this: v2").click()
    expect(page.locator(".tag").first).to_have_text("v2")
    assert_in_order(page, "two versions compared")

    page.evaluate("document.querySelector('#help').showModal()")
    assert_in_order(page, "help")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Move to trash").click()
    assert_in_order(page, "move to trash?")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_role("dialog", name="Share this image")).to_be_visible()
    assert_in_order(page, "share")
    page.keyboard.press("Escape")
    page.evaluate("document.body.classList.add('offline')")
    expect(page.get_by_text("Connection lost")).to_be_visible()
    assert_in_order(page, "connection lost")


COUNT_SHIFTS = """
    window.shifts = 0;
    const count = (entries) => { for (const entry of entries) window.shifts += entry.value; };
    const observer = new PerformanceObserver((list) => count(list.getEntries()));
    observer.observe({ type: "layout-shift", buffered: true });
    window.allShifts = () => { count(observer.takeRecords()); return window.shifts; };
"""


def shifted(page: Page) -> float:
    """Cumulative layout shift since the page was loaded, as Chromium counts it."""
    settle(page)
    share: float = page.evaluate("allShifts()")
    return share


@pytest.mark.parametrize("who", ["studio", "phone"])
def test_a_version_reserves_its_space_before_its_image_is_loaded(
    who: str, request: pytest.FixtureRequest
) -> None:
    studio: Studio = request.getfixturevalue(who)
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    shown = page.locator("before-after")
    box = shown.bounding_box()
    held: list[Route] = []
    page.route("**/files/*", lambda route: held.append(route))
    studio.version("Original").click()
    studio.expect_editing("the original")
    assert page.locator(".plain").bounding_box() == box
    studio.wait_until(lambda: held)  # its image is not loaded yet
    for route in held:
        route.continue_()


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_there_is_no_layout_shift_while_the_page_loads(
    common_portal: Portal, new_context: ContextMaker, size: dict[str, Any]
) -> None:
    page = new_context(**size)
    page.add_init_script(COUNT_SHIFTS)
    studio = Studio(page, common_portal)
    assert shifted(studio.page) < 0.02
    studio.begin().edit("make it warmer", becomes="v2")
    studio.page.reload()
    expect(studio.view("Compare")).to_be_attached()
    assert shifted(studio.page) < 0.02
