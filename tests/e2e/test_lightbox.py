"""The lightbox of the gallery: URL, keys and actions."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.gallery import GALLERY, fill, lightbox, open_gallery, tile, tiles
from tests.e2e.portal import Portal


@pytest.fixture(scope="module")
def shared(common_portal: Portal) -> Portal:
    """A portal with 40 edits for all tests here; each test uses its own."""
    return fill(common_portal)


def test_the_lightbox_has_a_url_and_is_navigated_by_keys(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    page.evaluate("window.untouched = true")
    tile(page, 39).get_by_role("link").click()
    expect(lightbox(page)).to_be_visible()
    expect(lightbox(page)).to_contain_text("take 39")
    expect(page.get_by_role("link", name="Newer edit")).to_have_count(0)
    first = page.url
    assert first.endswith("?q=take")

    page.keyboard.press("ArrowRight")
    expect(lightbox(page)).to_contain_text("take 38")
    page.keyboard.press("j")
    expect(lightbox(page)).to_contain_text("take 37")
    page.keyboard.press("k")
    expect(lightbox(page)).to_contain_text("take 38")
    page.keyboard.press("ArrowLeft")
    expect(lightbox(page)).to_contain_text("take 39")
    expect(page).to_have_url(first)
    page.keyboard.press("j")
    expect(lightbox(page)).to_contain_text("take 38")

    page.go_back()
    expect(lightbox(page)).to_have_count(0)
    expect(page).to_have_url(f"{shared.url}{GALLERY}?q=take")
    expect(tile(page, 38).get_by_role("link")).to_be_focused()
    assert page.evaluate("window.untouched"), "the gallery was loaded again"


@pytest.mark.parametrize("way", ["Escape", "Close", "backdrop"])
def test_closing_the_lightbox_returns_to_its_tile(
    shared: Portal, new_context: ContextMaker, way: str
) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    page.evaluate("window.untouched = true")
    tile(page, 36).get_by_role("link").click()
    expect(lightbox(page)).to_contain_text("take 36")
    if way == "Escape":
        page.keyboard.press("Escape")
    elif way == "Close":
        page.get_by_role("button", name="Close").click()
    else:
        page.mouse.click(10, 300)
    expect(lightbox(page)).to_have_count(0)
    expect(page).to_have_url(f"{shared.url}{GALLERY}?q=take")
    expect(tile(page, 36).get_by_role("link")).to_be_focused()
    assert page.evaluate("window.untouched"), "the gallery was loaded again"
    # Again, to check that closing cleaned up.
    page.keyboard.press("Enter")
    expect(lightbox(page)).to_contain_text("take 36")


def test_the_url_of_the_lightbox_is_a_page(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 35).get_by_role("link").click()
    expect(lightbox(page)).to_contain_text("take 35")
    page.reload()
    expect(page.get_by_role("heading", name="Edit by")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("j")
    expect(page.get_by_text('"take 34"')).to_be_visible()
    page.get_by_role("link", name="Close").click()
    expect(page).to_have_url(f"{shared.url}{GALLERY}?q=take")
    expect(tiles(page)).to_have_count(30)


def test_arrow_keys_on_the_divider_move_it(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 35).get_by_role("link").click()
    divide = lightbox(page).get_by_role("slider")
    divide.focus()
    page.keyboard.press("ArrowRight")
    expect(divide).to_have_value("50.5")
    expect(lightbox(page)).to_contain_text("take 35")


def test_a_star_in_the_lightbox_marks_the_tile(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 33).get_by_role("link").click()
    star = lightbox(page).get_by_role("button", name="Star")
    star.click()
    expect(star).to_have_attribute("aria-pressed", "true")
    expect(star).to_be_focused()
    page.keyboard.press("Escape")
    expect(tile(page, 33).get_by_text("Starred")).to_be_attached()
    page.get_by_label("Starred").check()
    expect(tile(page, 34)).to_have_count(0)
    expect(tile(page, 33)).to_be_visible()
    expect(page).to_have_url(re.compile("starred=1"))


def test_the_lightbox_discards_its_image(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 29).get_by_role("link").click()
    lightbox(page).get_by_role("button", name="Move to trash").click()
    page.get_by_role("dialog", name="Move this image to the trash?").get_by_role(
        "button", name="Move to trash"
    ).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(tile(page, 29)).to_have_count(0)
    expect(page).to_have_url(f"{shared.url}{GALLERY}?q=take")
    expect(page.get_by_role("region", name="Notifications")).to_contain_text("Moved to the trash")


def test_a_shared_image_is_visible_until_the_link_is_revoked(
    shared: Portal, new_context: ContextMaker
) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 28).get_by_role("link").click()
    lightbox(page).get_by_role("link", name="Share").click()
    dialog = page.get_by_role("dialog", name="Share this image")
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.locator(".secret").inner_text()

    stranger = new_context()
    stranger.goto(link)
    picture = stranger.get_by_role("img", name="Shared image")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth > 0")
    with stranger.expect_download() as download:
        stranger.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "image.jpg"

    dialog.get_by_role("button", name="Revoke").click()
    expect(dialog.get_by_text("This image is not shared")).to_be_visible()
    stranger.reload()
    expect(stranger.get_by_role("heading", name="This link no longer works")).to_be_visible()
    # Both dialogs close one after the other, back to the gallery.
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(lightbox(page)).to_be_visible()


def test_an_edit_can_be_run_again_in_the_studio(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    tile(page, 27).get_by_role("link").click()
    lightbox(page).get_by_role("button", name="Run again with the same settings").click()
    page.wait_for_url(re.compile("/v/"))
    expect(page.get_by_role("radio", name="Compare")).to_be_attached()
    rows = shared.query("SELECT count(*) FROM editor_job WHERE prompt LIKE %s", '%"take 27"%')
    assert rows == [(2,)]
    # Restore number 39 as the newest edit for later tests.
    newest = "(SELECT max(number) FROM editor_job)"
    shared.query(f"UPDATE editor_job SET prompt = 'again' WHERE number = {newest} RETURNING 1")
