"""The choice of a model: qualities, then the models of each vendor."""

from __future__ import annotations

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.e2e.studio import Studio


def test_a_model_is_chosen_by_keyboard_without_running_an_edit(studio: Studio) -> None:
    page = studio.page
    studio.prompt.fill("make it warmer")
    studio.model_button.focus()
    page.keyboard.press("Enter")
    models = page.get_by_role("dialog", name="Model")
    expect(models).to_be_visible()
    page.keyboard.press("Tab")
    expect(models.get_by_role("radio", name="Use the quality")).to_be_focused()
    page.keyboard.press("ArrowDown")
    first = models.get_by_role("group").first.get_by_role("radio").first
    expect(first).to_be_checked()
    chosen = first.input_value()
    expect(models).to_be_visible()
    expect(page.locator("[name=tier]:checked")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(models).to_be_hidden()
    expect(page.get_by_role("group", name="Running edits").get_by_role("article")).to_have_count(0)
    expect(studio.prompt).to_have_value("make it warmer")
    studio.edit("make it warmer", becomes="v2")
    model = studio.portal.query("SELECT model, tier FROM editor_job ORDER BY created_at DESC LIMIT 1")
    assert model == [(chosen, "")]


@pytest.mark.parametrize("who", ["studio", "phone"])
def test_a_model_is_chosen_by_pointer_and_a_quality_replaces_it(
    who: str, request: pytest.FixtureRequest
) -> None:
    studio: Studio = request.getfixturevalue(who)
    page = studio.page
    if who == "phone":
        page.get_by_role("button", name="Options", exact=True).click()
    studio.model_button.click()
    models = page.get_by_role("dialog", name="Model")
    expect(models).to_be_visible()
    problems = Axe().run(page).response["violations"]
    assert problems == []
    models.get_by_text("FLUX.1 Kontext [max]", exact=True).click()
    expect(models).to_be_hidden()
    expect(studio.model_button).to_contain_text("FLUX.1 Kontext [max]")
    expect(page.locator("#run-price")).to_have_text("· 8 credits")
    page.get_by_role("radio", name=re.compile("^Creative")).check(force=True)
    expect(page.locator("[name=model]:checked")).to_have_value("")
    expect(page.locator("#run-price")).to_have_text("· 2 credits")
