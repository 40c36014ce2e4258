"""Versions of an image: branches, samples, comparing any two, and actions."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.e2e.studio import Studio


def labels(studio: Studio) -> list[str]:
    return studio.page.locator("#rail .node b").all_inner_texts()


def test_a_branch_is_created_and_compared_with_another_version(studio: Studio) -> None:
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    studio.edit("add a white border", becomes="v3")
    studio.version("Original").click()
    studio.expect_editing("the original")
    studio.edit("make it black and white", becomes="v4")
    assert labels(studio) == ["Original", "v2", "v3", "v4"]
    expect(page.locator("#rail li").last).to_have_class("lane-1")
    expect(page.locator(".tag")).to_have_text(["Before", "After"])

    page.locator("#rail li").nth(2).hover()
    page.get_by_role("button", name="Compare with this: v3").click()
    expect(page.locator(".tag")).to_have_text(["v3", "v4"])
    expect(page).to_have_url(re.compile(r"/v/[^/]+/\?with="))
    studio.expect_editing("v4")
    expect(page.get_by_role("button", name="Compare with this: v3")).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(page.locator(".tag")).to_have_text(["v3", "v4"])
    page.go_back()
    expect(page.locator(".tag")).to_have_text(["Before", "After"])


def test_versions_are_compared_by_touch_on_a_phone(phone: Studio) -> None:
    phone.edit("make it warmer", becomes="v2")
    phone.edit("add a white border", becomes="v3")
    phone.page.get_by_role("button", name="Compare with this: Original").tap()
    expect(phone.page.locator(".tag")).to_have_text(["Original", "v3"])


def test_of_several_samples_one_is_picked(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("radio", name="Creative").check(force=True)
    page.get_by_role("group", name="Samples").get_by_role("radio", name="3").check(force=True)
    expect(page.locator("#run-price")).to_have_text("· 6 credits")
    studio.run("make it warmer")
    samples = page.get_by_role("list", name="Samples").get_by_role("link")
    expect(samples).to_have_count(3)
    expect(studio.view("Samples")).to_be_checked()
    samples.nth(1).click()
    studio.expect_editing("v3")
    expect(samples).to_have_count(0)
    expect(studio.view("Compare")).to_be_checked()

    page.reload()
    page.locator("h1").press("a")
    expect(samples).to_have_count(3)
    expect(samples.nth(1)).to_have_attribute("aria-current", "true")


def test_one_of_several_samples_is_picked_on_a_phone(phone: Studio) -> None:
    page = phone.page
    page.get_by_role("button", name="Options", exact=True).tap()
    page.get_by_role("radio", name="Creative").check(force=True)
    page.get_by_role("group", name="Samples").get_by_role("radio", name="2").check(force=True)
    page.get_by_role("button", name="Close options").tap()
    phone.run("make it warmer")
    samples = page.get_by_role("list", name="Samples").get_by_role("link")
    samples.nth(1).tap()
    phone.expect_editing("v3")


def test_keys_step_through_the_versions(studio: Studio) -> None:
    studio.edit("make it warmer", becomes="v2")
    studio.edit("add a white border", becomes="v3")
    studio.page.locator("#run").focus()
    studio.page.keyboard.press("[")
    studio.expect_editing("v2")
    studio.page.keyboard.press("[")
    studio.expect_editing("the original")
    studio.page.keyboard.press("]")
    studio.expect_editing("v2")
    expect(studio.version("v2")).to_be_focused()
    studio.prompt.press("[")
    expect(studio.prompt).to_have_value("add a white border[")
    studio.expect_editing("v2")


def test_a_tooltip_says_on_hover_and_on_focus_what_a_version_is(studio: Studio) -> None:
    page, tooltip = studio.page, studio.page.get_by_role("tooltip")
    studio.edit("make it warmer", becomes="v2")
    expect(tooltip).to_have_count(0)
    studio.version("v2").hover()
    expect(tooltip).to_contain_text("v2 made from Original")
    expect(tooltip).to_contain_text(re.compile(r"amara · \d+ \w+ \d\d:\d\d"))
    expect(tooltip).to_contain_text("make it warmer")
    page.get_by_text("made from Original").hover()  # the pointer can move onto it
    expect(tooltip).to_be_visible()
    page.keyboard.press("Escape")
    expect(tooltip).to_have_count(0)
    studio.prompt.hover()

    studio.version("v2").focus()
    page.keyboard.press("ArrowUp")
    expect(studio.version("Original")).to_be_focused()
    expect(tooltip).to_contain_text("Uploaded")
    box = tooltip.bounding_box()
    rail = page.get_by_role("navigation", name="Versions").bounding_box()
    tools = page.get_by_role("radiogroup", name="View").bounding_box()
    assert box
    assert rail
    assert tools
    assert rail["x"] + rail["width"] <= box["x"], "it does not cover the list"
    assert tools["y"] + tools["height"] <= box["y"], "it does not cover the tools"


def test_versions_are_walked_opened_and_compared_by_keys(studio: Studio) -> None:
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    studio.version("v2").focus()
    page.keyboard.press("ArrowDown")
    expect(studio.version("v2")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(studio.version("Original")).to_be_focused()
    page.keyboard.press("Shift+Enter")
    expect(page.locator(".tag")).to_have_text(["Original", "v2"])
    studio.expect_editing("v2")
    studio.version("Original").focus()
    page.keyboard.press("Enter")
    studio.expect_editing("the original")
    page.keyboard.press("ArrowDown")
    expect(studio.version("v2")).to_be_focused()


def test_the_versions_stay_folded(studio: Studio) -> None:
    page = studio.page
    rail = page.get_by_role("navigation", name="Versions")
    fold = page.get_by_role("button", name="Details of versions")
    expect(rail).to_have_css("width", "252px")
    fold.click()
    expect(rail).to_have_css("width", "112px")
    expect(fold).to_be_focused()
    expect(studio.version("Original").locator("img")).to_be_visible()
    page.reload()
    expect(rail).to_have_css("width", "112px")
    fold.click()
    expect(rail).to_have_css("width", "252px")


def test_an_image_in_the_middle_can_be_discarded(studio: Studio) -> None:
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    studio.edit("add a white border", becomes="v3")
    studio.version("v2").click()
    studio.expect_editing("v2")
    gone = page.url
    page.get_by_role("button", name="Move to trash").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Move to trash")).to_be_focused()
    page.get_by_role("button", name="Move to trash").click()
    dialog.get_by_role("button", name="Move to trash").click()
    studio.expect_editing("the original")
    expect(studio.versions).to_have_count(2)
    assert labels(studio) == ["Original", "v3"]
    studio.version("v3").click()
    studio.expect_editing("v3")
    expect(studio.view("Before")).to_be_attached()
    assert page.goto(gone).status == 404  # type: ignore[union-attr]
    expect(page.get_by_text("in the trash")).to_be_visible()


def test_star_and_share_keep_the_prompt(studio: Studio) -> None:
    page = studio.page
    studio.prompt.fill("half a thought")
    star = page.get_by_role("button", name="Star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Share").click()
    expect(page.get_by_role("dialog", name="Share this image")).to_be_visible()
    page.keyboard.press("c")  # a shortcut of the Studio behind the dialog
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Share")).to_be_focused()
    expect(studio.prompt).to_have_value("half a thought")
    page.reload()
    expect(star).to_have_attribute("aria-pressed", "true")
