"""Flows in the Studio: keyboard only, fast clicks, retries, masks, changed options."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.keyboard import press
from tests.e2e.portal import LASTING
from tests.e2e.studio import Studio

JOBS = "SELECT count(*) FROM editor_job"


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the control of that name has the focus, as a user without a mouse does."""
    wanted = page.get_by_label(name, exact=True).or_(page.get_by_role("button", name=name)).first
    for _ in range(60):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_an_edit_can_be_made_by_keyboard_alone(studio: Studio) -> None:
    page = studio.page
    page.goto(studio.url)
    tab_to(page, "Try the sample image: Coffee")
    press(page, "Enter")
    studio.expect_editing("the original")
    expect(studio.prompt).to_be_focused()
    page.keyboard.type(f"{LASTING} make it black and white")
    press(page, "Control+Enter")
    tab_to(page, "Cancel")
    press(page, "Enter")
    expect(studio.notices).to_contain_text("4 credits refunded.")
    expect(studio.prompt).to_be_focused()

    press(page, "Control+A")
    page.keyboard.type("make it black and white")
    tab_to(page, "Run")
    press(page, "Enter")
    expect(studio.view("Compare")).to_be_checked()
    red, green, blue = studio.download().split()
    assert red.tobytes() == green.tobytes() == blue.tobytes()

    page.locator("h1").evaluate("heading => document.activeElement.blur()")
    press(page, "r")
    expect(studio.view("Result")).to_be_checked()
    press(page, "ArrowRight")
    expect(studio.view("Before")).to_be_checked()
    press(page, "c")
    expect(studio.view("Compare")).to_be_checked()
    press(page, "?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_role("button", name="Keyboard shortcuts")).to_be_focused()
    press(page, "/")
    expect(studio.prompt).to_be_focused()


def test_single_key_shortcuts_can_be_disabled_permanently(studio: Studio) -> None:
    page = studio.page
    page.get_by_role("button", name="Keyboard shortcuts").click()
    page.get_by_label("Single-key shortcuts").uncheck()
    press(page, "Escape")
    page.reload()
    press(page, "m")
    expect(studio.view("Mask")).not_to_be_checked()


@pytest.mark.parametrize("who", ["studio", "phone"])
def test_three_fast_double_clicks_on_run_make_one_edit(who: str, request: pytest.FixtureRequest) -> None:
    studio: Studio = request.getfixturevalue(who)
    before = studio.portal.query(JOBS)[0][0]
    held: list[Route] = []
    studio.page.route(re.compile("/run/"), lambda route: held.append(route))
    studio.prompt.fill("make it warmer")
    for _ in range(3):
        studio.run_button.dblclick(force=True, no_wait_after=True)
    expect(studio.run_button).to_be_disabled()
    studio.wait_until(lambda: held)
    assert len(held) == 1
    held[0].continue_()
    studio.expect_editing("v2")
    assert studio.portal.query(JOBS)[0][0] == before + 1


def test_retrying_after_a_lost_response_makes_one_edit(studio: Studio, new_context: ContextMaker) -> None:
    before = studio.portal.query(JOBS)[0][0]

    def lose_the_response(route: Route) -> None:
        route.fetch()
        route.fulfill(status=502, body="<html>Bad gateway</html>", content_type="text/html")

    studio.page.route(re.compile("/run/"), lose_the_response, times=1)
    with studio.portal.no_new_images():  # it does not end before the retry
        studio.run("make it warmer")
        expect(studio.page.locator("#prompt-error")).to_contain_text("charged at most once")
        new_context.forgive("502")
        with studio.page.expect_response(re.compile("/run/")) as answer:
            studio.prompt.press("Control+Enter")
        assert answer.value.ok
    studio.expect_editing("v2")
    assert studio.portal.query(JOBS)[0][0] == before + 1


def test_another_model_keeps_compatible_options_and_shows_the_latest_price(studio: Studio) -> None:
    page = studio.page
    page.get_by_text("Advanced").click()
    page.get_by_label("Seed").fill("4711")
    studio.prompt.fill("make it warmer")
    page.get_by_role("radio", name="Creative").check(force=True)
    expect(page.get_by_role("group", name="Samples")).to_be_visible()
    expect(page.get_by_label("Seed")).to_have_value("4711")
    page.get_by_label("Steps").fill("40")

    held: list[Route] = []
    page.route(re.compile("/quote/"), lambda route: held.append(route), times=1)
    page.get_by_role("group", name="Samples").get_by_role("radio", name="2").check(force=True)
    studio.wait_until(lambda: held)  # the first request is sent and not answered
    page.get_by_role("group", name="Samples").get_by_role("radio", name="4").check(force=True)
    expect(page.locator("#run-price")).to_have_text("· 8 credits")
    assert len(held) == 1

    studio.choose_model("FLUX.1 Kontext [max]")
    expect(page.locator("#run-price")).to_have_text("· 8 credits")
    expect(page.locator("[name=tier]:checked")).to_have_count(0)
    expect(page.get_by_label("Steps")).to_have_count(0)
    expect(page.get_by_label("Seed")).to_have_value("4711")
    expect(page.get_by_label("Seed")).to_be_visible()
    page.get_by_role("radio", name="Standard").check(force=True)
    expect(studio.model_button).to_contain_text("FLUX.1 Kontext [pro]")
    expect(page.locator("#run-price")).to_have_text("· 4 credits")
    expect(studio.prompt).to_have_value("make it warmer")


@pytest.mark.parametrize("who", ["studio", "phone"])
def test_a_result_of_another_shape_is_shown_beside_its_source(
    who: str, request: pytest.FixtureRequest
) -> None:
    studio: Studio = request.getfixturevalue(who)
    page = studio.page
    studio.edit("make it warmer", becomes="v2")
    expect(studio.view("Compare")).to_be_checked()
    studio.edit("rotate it by 90 degrees", becomes="v3")
    expect(studio.view("Side by side")).to_be_checked()
    before, after = (page.locator("before-after > img").nth(place).bounding_box() for place in (0, 1))
    assert before and after
    assert before["x"] + before["width"] <= after["x"]
    assert before["width"] > before["height"] and after["width"] < after["height"]
    expect(page.get_by_role("slider", name="Compare before and after")).to_be_hidden()


def test_arrows_bring_back_earlier_prompts(studio: Studio) -> None:
    studio.edit("make it warmer", becomes="v2")
    studio.edit('add the text "SOLD"', becomes="v3")
    studio.edit("make it warmer", becomes="v4")
    studio.prompt.press("ArrowUp")
    expect(studio.prompt).to_have_value("make it warmer")
    studio.prompt.fill("")
    for key, shown in (
        ("ArrowUp", "make it warmer"),
        ("ArrowUp", 'add the text "SOLD"'),
        ("ArrowDown", "make it warmer"),
        ("ArrowDown", ""),
    ):
        studio.prompt.press(key)
        expect(studio.prompt).to_have_value(shown)
    studio.prompt.press("ArrowUp")
    studio.prompt.press("End")
    studio.prompt.press("!")
    studio.prompt.press("ArrowUp")
    expect(studio.prompt).to_have_value("make it warmer!")
    studio.page.reload()
    studio.prompt.fill("")
    studio.prompt.press("ArrowUp")
    expect(studio.prompt).to_have_value("make it warmer")


def test_a_phone_keeps_run_visible_and_shows_options_in_a_sheet(phone: Studio) -> None:
    page = phone.page
    expect(phone.run_button).to_be_in_viewport(ratio=1)
    sheet = page.get_by_role("complementary", name="Options")
    expect(sheet).to_be_hidden()
    page.get_by_role("button", name="Options", exact=True).tap()
    expect(sheet).to_be_visible()
    page.mouse.click(4, 120)  # outside the sheet, on an empty spot
    expect(sheet).to_be_hidden()
    phone.edit("make it warmer", becomes="v2")
    expect(phone.run_button).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (413, "larger than the server in front of the portal accepts"),
        (502, "The portal did not answer as it should (status 502). The edit may or may not have started."),
        (403, "(status 403)"),
        (200, "(status 200)"),
    ],
)
def test_a_page_of_another_server_is_named_by_what_it_is(
    studio: Studio, new_context: ContextMaker, status: int, words: str
) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=status, body="<html><h1>nginx</h1></html>", content_type="text/html")

    studio.page.route(re.compile("/run/"), answer, times=1)
    studio.run("make it warmer")
    expect(studio.page.locator("#prompt-error")).to_contain_text(words)
    expect(studio.page.locator("#prompt-error")).not_to_contain_text("could not be reached")
    expect(studio.prompt).to_have_value("make it warmer")
    new_context.forgive(str(status))


def test_a_stale_token_is_explained_where_the_person_looks(studio: Studio, new_context: ContextMaker) -> None:
    studio.page.context.clear_cookies(name="csrftoken")
    studio.run("make it warmer")
    expect(studio.page.locator("#prompt-error")).to_contain_text("Allow cookies for this site")
    expect(studio.page.locator("#prompt-error")).to_contain_text("Nothing was charged.")
    new_context.forgive("403")


def test_a_failure_outside_the_studio_is_not_silent(studio: Studio, new_context: ContextMaker) -> None:
    studio.run("make it warmer")
    studio.expect_editing("v2")
    studio.page.goto(f"{studio.url}gallery/")
    studio.page.route(re.compile("/gallery/[0-9a-f-]{36}/"), lambda route: route.abort())
    studio.page.locator(".shot > a").first.click()
    expect(studio.page.locator("#toasts")).to_contain_text("The server could not be reached. Try again.")
    new_context.forgive("ERR_FAILED", "Failed to fetch")
