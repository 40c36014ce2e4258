"""Back and Forward through every kind of page: each is whole, and shows what was seen there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.e2e.conftest import ContextMaker, launch
from tests.e2e.portal import Portal
from tests.e2e.studio import PHOTO, Studio

# A naked fragment has neither the style sheet's colours nor the brand.
SEEN = """() => {
    const texts = (selector) => [...document.querySelectorAll(selector)].map((one) => one.innerText.trim());
    return {
        path: location.pathname + location.search,
        styled: getComputedStyle(document.documentElement).getPropertyValue("--page") !== "",
        whole: document.querySelectorAll(".brand, #toasts").length === 2,
        place: (document.querySelector("#lightbox-prompt") ?? document.querySelector("h1"))?.innerText,
        editing: texts("#chips .chip > span"),
        compared: texts(".tag"),
        current: texts("#rail .node[aria-current] b"),
    };
}"""


@pytest.fixture(params=[False, True], ids=["without-cache", "with-cache"])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A browser without or with the back/forward cache, which Playwright disables by default.

    Even with it, Chromium 150 keeps no page of the portal: all say no-store, and most have an open socket.
    """
    options = {"ignore_default_args": ["--disable-back-forward-cache"]} if request.param else {}
    chromium = launch(browser.browser_type, **options)
    contexts = ContextMaker(chromium, request.node)
    yield contexts()
    contexts.close()
    chromium.close()
    assert contexts.complaints == []


def steps(studio: Studio) -> Iterator[None]:
    """Go through the pages by clicks; one step is one entry of the browser's history."""
    yield from through_versions(studio)
    yield from through_images(studio)
    yield from through_settings(studio)


def through_versions(studio: Studio) -> Iterator[None]:
    page = studio.page

    def edit(message: str, becomes: str) -> None:
        studio.edit(message, becomes=becomes)
        current = page.locator("#rail .node[aria-current]")
        studio.wait_until(lambda: current.get_attribute("href") == urlsplit(page.url).path)

    expect(studio.run_button).to_be_visible()
    yield
    page.locator("#file").set_input_files(PHOTO)
    studio.expect_editing("the original")
    yield
    edit("make it warmer", "v2")
    yield
    edit("add a white border", "v3")
    yield
    studio.version("Original").click()
    studio.expect_editing("the original")
    yield
    edit("make it black and white", "v4")
    yield
    page.locator("#rail li").nth(1).hover()
    page.get_by_role("button", name="Compare with this: v2").click()
    expect(page.locator(".tag")).to_have_text(["v2", "v4"])
    yield


def through_images(studio: Studio) -> Iterator[None]:
    page = studio.page
    follow(page, "Gallery", "gallery")
    page.get_by_label("Search edits").fill("border")
    expect(page).to_have_url(re.compile("q=border"))
    yield
    page.locator("li.shot a").first.click()
    expect(page.locator("#lightbox-prompt")).to_be_visible()
    yield
    page.get_by_role("link", name="Edit again").click()
    studio.expect_editing("v3")
    yield
    page.goto(page.url.partition("?")[0].replace("/v/", "/images/") + "shares/")
    expect(page.get_by_text("This image is not shared")).to_be_visible()
    yield
    follow(page, "Gallery", "gallery")
    yield
    follow(page, "Trash", "trash")
    yield


def through_settings(studio: Studio) -> Iterator[None]:
    page = studio.page
    page.get_by_role("button", name=re.compile("^Workspace:")).click()
    follow(page, "Settings", "settings/general")
    yield
    for name, path in (("Providers", "providers"), ("API keys", "api-keys"), ("Webhooks", "webhooks")):
        follow(page, name, f"settings/{path}")
        yield
    for name, path in (("Credits & usage", "credits"), ("API", "api")):
        follow(page, name, path)
        yield
    page.locator("#other-ways a").first.click()
    page.wait_for_url(re.compile("/api/guide/"))
    yield
    page.get_by_role("button", name=re.compile("your account")).click()
    follow(page, "Account", "accounts")
    yield
    follow(page, "Change Password", "password/change")
    yield
    page.goto(f"{studio.portal.url}/accounts/logout/")
    yield


def follow(page: Page, name: str, path: str) -> None:
    page.get_by_role("link", name=name, exact=True).first.click()
    page.wait_for_url(re.compile(f"/{path}/$"))


def seen(page: Page) -> dict[str, Any]:
    try:
        state: dict[str, Any] = page.evaluate(SEEN)
    except Error as error:  # while a page is replaced by the next
        return {"error": error.message}
    return state


def expect_seen(studio: Studio, expected: dict[str, Any]) -> None:
    studio.wait_until(
        lambda: seen(studio.page) == expected, otherwise=lambda: f"{seen(studio.page)}\nnot\n{expected}"
    )
    # Before its scripts have run, a page does not notice the next step through the history.
    studio.page.wait_for_load_state("load")


def test_back_and_forward_show_whole_pages_as_they_were_seen(common_portal: Portal, page: Page) -> None:
    studio = Studio(page, common_portal)
    passed = [seen(page) for _ in steps(studio)]
    assert all(state["styled"] and state["whole"] for state in passed)
    for state in reversed(passed[:-1]):
        page.go_back()
        expect_seen(studio, state)
    for state in passed[1:]:
        page.go_forward()
        expect_seen(studio, state)
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert seen(page)["styled"]


def test_a_result_takes_the_entry_that_run_added(common_portal: Portal, new_context: ContextMaker) -> None:
    studio = Studio(new_context(), common_portal)
    studio.page.locator("#file").set_input_files(PHOTO)
    studio.expect_editing("the original")
    original, before = studio.page.url, studio.page.evaluate("history.length")
    studio.run("make it warmer [fail]")
    expect(studio.page.locator("#failure .failed")).to_be_visible()
    studio.edit("make it warmer", becomes="v2")
    studio.page.wait_for_url(lambda url: url != original)
    assert studio.page.evaluate("history.length") == before + 1
    studio.version("Original").click()
    studio.expect_editing("the original")
    assert studio.page.evaluate("history.length") == before + 2
    studio.run("[slow] make it black and white")
    studio.version("v2").click()
    studio.expect_editing("v2")
    assert studio.page.evaluate("history.length") == before + 3
    studio.page.go_back()
    studio.expect_editing("the original")


def test_a_page_that_a_browser_kept_is_loaded_again(common_portal: Portal, new_context: ContextMaker) -> None:
    studio = Studio(new_context(), common_portal)
    studio.page.evaluate("window.kept = true")
    studio.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    studio.page.wait_for_function("!window.kept")
    expect(studio.run_button).to_be_visible()
