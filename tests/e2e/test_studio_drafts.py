"""What was entered in the Studio survives a reload, a new session and a sign-out."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.portal import PASSWORD
from tests.e2e.studio import Studio

PROMPT = "make it black and white"


def sign_out(tab: Page, studio: Studio) -> None:
    tab.goto(f"{studio.portal.url}/accounts/logout/")
    tab.get_by_role("main").get_by_role("button", name="Sign out").click()
    tab.wait_for_url(re.compile("login"))


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


@pytest.mark.parametrize("who", ["studio", "phone"])
def test_a_reload_keeps_what_was_entered_until_it_runs(who: str, request: pytest.FixtureRequest) -> None:
    studio: Studio = request.getfixturevalue(who)
    page = studio.page
    if who == "phone":
        page.get_by_role("button", name="Options", exact=True).click()
    page.get_by_role("radio", name="Pro").check(force=True)
    page.get_by_role("radio", name="Ink").check(force=True)
    if who == "phone":
        page.get_by_role("button", name="Close options").click()
    studio.prompt.fill(PROMPT)
    page.reload()
    expect(studio.prompt).to_have_value(PROMPT)
    expect(page.locator("#run-price")).to_have_text("· 8 credits")
    expect(page.locator("[name=tier][value=pro]")).to_be_checked()
    expect(page.get_by_role("radio", name="Ink", include_hidden=True)).to_be_checked()
    studio.edit(PROMPT, becomes="v2")
    page.reload()
    expect(studio.prompt).to_have_value("")
    expect(page.locator("[name=tier][value=standard]")).to_be_checked()


def test_an_exact_model_is_kept_too(studio: Studio) -> None:
    page = studio.page
    studio.choose_model("FLUX.2 [pro]")
    page.reload()
    expect(studio.model_button).to_contain_text("FLUX.2 [pro]")
    expect(page.locator("[name=tier]:checked")).to_have_count(0)
    expect(page.get_by_label("Width")).to_be_visible()


def test_run_works_after_signing_in_again_in_another_tab(studio: Studio) -> None:
    page = studio.page
    studio.prompt.fill(PROMPT)
    tab = page.context.new_page()
    sign_out(tab, studio)
    sign_in(tab)
    tab.wait_for_url(studio.url)
    if not studio.prompt.is_visible():  # the page saw the sign-out
        page.reload()
        expect(studio.prompt).to_have_value(PROMPT)
    studio.prompt.press("Control+Enter")
    studio.expect_editing("v2")
    expect(page.locator("#prompt-error")).to_be_empty()


def test_a_token_that_is_out_of_date_is_renewed(studio: Studio) -> None:
    page = studio.page
    page.context.clear_cookies(name="csrftoken")
    page.context.add_cookies([{"name": "csrftoken", "value": "x" * 32, "url": studio.portal.url}])
    studio.edit(PROMPT, becomes="v2")
    expect(page.locator("#prompt-error")).to_be_empty()


def test_the_prompt_is_there_after_signing_in_again(studio: Studio) -> None:
    page = studio.page
    studio.prompt.fill(PROMPT)
    here = page.url
    tab = page.context.new_page()
    sign_out(tab, studio)
    page.goto(here)
    sign_in(page)
    page.wait_for_url(here)
    expect(studio.prompt).to_have_value(PROMPT)
