"""Nothing is lost where what is younger than two years is missing: the portal supports such browsers."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import PHONE, Studio

# As in Safari before 26.2 and in WebKitGTK.
NO_COMMANDS = """
    delete HTMLButtonElement.prototype.command;
    delete HTMLButtonElement.prototype.commandForElement;
    delete window.CommandEvent;
"""


def test_buttons_with_commands_work_without_the_browsers_support(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    page.add_init_script(NO_COMMANDS)
    studio = Studio(page, common_portal).begin()
    assert not page.evaluate("CommandEvent.toString().includes('[native code]')")
    with page.expect_file_chooser():
        page.get_by_role("button", name="New image").first.click()
    page.get_by_role("button", name="Keyboard shortcuts").click()
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("group", name="Ideas").get_by_role("button").first.click()
    expect(studio.prompt).not_to_have_value("")
    studio.view("Mask").check(force=True)
    page.get_by_role("button", name="Invert mask").click()
    studio.edit("make it black and white", becomes="v2")


YOUNG_CSS = r"field-sizing|position-area|position-try-fallbacks|attr\(width px\)|::view-transition"


def without_young_css(page: Page) -> None:
    """Give the page the style sheet as a browser reads it that does not know these names."""

    def rename(route: Route) -> None:
        response = route.fetch()
        text, count = re.subn(YOUNG_CSS, "unknown", response.text())
        assert count >= 7
        route.fulfill(response=response, body=text)

    page.route(re.compile(r"app[^/]*\.css"), rename)


def test_menus_open_at_the_side_of_their_buttons_without_anchors(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    for size in ({}, PHONE):
        page = new_context(**size)
        without_young_css(page)
        Studio(page, common_portal)
        window = page.viewport_size
        assert window
        for button, menu in (("^Workspace:", "#workspace-menu"), ("your account", "#account-menu")):
            opener = page.get_by_role("button", name=re.compile(button))
            opener.click()
            place, box = opener.bounding_box(), page.locator(menu).bounding_box()
            assert place and box
            assert box["y"] >= place["y"] + place["height"]
            assert box["x"] >= 0 and box["x"] + box["width"] <= window["width"]
            assert abs(box["x"] - place["x"]) < max(box["width"], window["width"] / 4)
            page.keyboard.press("Escape")


def test_motion_is_reduced_without_view_transitions(common_portal: Portal, new_context: ContextMaker) -> None:
    page = new_context(reduced_motion="reduce")
    without_young_css(page)
    page.goto(common_portal.url)
    button = page.get_by_role("button", name="Sign in")
    assert button.evaluate("element => getComputedStyle(element).animationIterationCount") == "1"
    assert button.evaluate("element => parseFloat(getComputedStyle(element).transitionDuration)") < 0.001


def test_a_long_prompt_scrolls_where_its_field_does_not_grow(
    common_portal: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    without_young_css(page)
    studio = Studio(page, common_portal).begin()
    studio.prompt.fill("make it warmer\n" * 20)
    assert studio.prompt.evaluate(
        "field => field.scrollHeight > field.clientHeight && field.clientHeight > 30"
    )
    expect(page.get_by_role("img", name=re.compile("original", re.IGNORECASE)).first).to_be_visible()
