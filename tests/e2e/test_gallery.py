"""The gallery in the browser: filter, scroll, select many, discard and restore."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.e2e.client import Client
from tests.e2e.conftest import ContextMaker
from tests.e2e.gallery import GALLERY, JONAS, fill, lightbox, open_gallery, pick, tile, tiles
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order
from tests.patience import wait_until


@pytest.fixture(scope="module")
def shared(common_portal: Portal) -> Portal:
    """A portal with 40 edits for all tests here; each test uses its own."""
    return fill(common_portal)


def test_a_list_that_comes_late_leaves_the_url_of_the_lightbox(
    shared: Portal, new_context: ContextMaker
) -> None:
    page, held = new_context(), list[Route]()
    open_gallery(page, shared)
    page.route(re.compile(f"{GALLERY}\\?.*q=take"), lambda route: held.append(route))
    page.get_by_label("Search edits").fill("take 17")
    wait_until(lambda: held, pause=lambda seconds: page.wait_for_timeout(1000 * seconds))
    tile(page, 39).get_by_role("link").click()
    expect(lightbox(page)).to_be_visible()
    opened = page.url
    for route in held:
        route.continue_()
    expect(tiles(page)).to_have_count(1)
    assert page.url == opened


def test_a_filter_is_kept_in_the_url(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared)
    page.get_by_label("Search edits").press_sequentially("take 17")
    expect(tiles(page)).to_have_count(1)
    expect(page.get_by_role("status").filter(has_text="1 edit")).to_be_visible()
    expect(page).to_have_url(f"{shared.url}{GALLERY}?q=take+17")
    expect(page.get_by_label("Search edits")).to_be_focused()

    page.get_by_label("Status").select_option("Failed")
    expect(page.get_by_text("No edits match")).to_be_visible()
    page.get_by_label("Search edits").fill("")
    expect(page.get_by_text("take 40")).to_be_visible()
    page.reload()
    expect(page.get_by_label("Status")).to_have_value("failed")
    expect(tiles(page)).to_have_count(1)

    page.get_by_label("Status").select_option("Completed")
    page.get_by_label("Person").select_option("jonas")
    expect(tiles(page).first).to_contain_text("take 39")
    expect(page.get_by_text("take 38")).to_have_count(0)


def test_older_tiles_load_while_scrolling(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    expect(tiles(page)).to_have_count(30)
    page.mouse.wheel(0, 2000)
    expect(tile(page, 0)).to_be_attached()
    expect(tiles(page)).to_have_count(40)
    expect(page.get_by_role("link", name="Older")).to_have_count(0)


def test_without_javascript_everything_is_a_link_or_a_form(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context(java_script_enabled=False)
    open_gallery(page, shared, "?q=take")
    page.get_by_role("link", name="Older").click()
    expect(tiles(page)).to_have_count(10)
    page.goto(f"{shared.url}{GALLERY}")
    page.get_by_label("Search edits").fill("take 3")
    page.get_by_role("button", name="Apply").click()
    expect(tiles(page)).to_have_count(11)

    pick(page, 3)
    page.get_by_role("button", name="Star", exact=True).click()
    expect(tiles(page)).to_have_count(11)
    expect(tile(page, 3).get_by_text("Starred")).to_be_attached()
    tile(page, 3).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Edit by")).to_be_visible()
    page.get_by_role("button", name="Star", exact=True).click()
    expect(page.get_by_role("button", name="Star", exact=True)).to_have_attribute("aria-pressed", "false")
    page.get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    expect(page.locator(".secret")).to_contain_text("/s/")


def test_shift_picks_all_tiles_in_between(shared: Portal, new_context: ContextMaker) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take")
    selected = page.get_by_role("group", name="Selected images")

    def box(number: int) -> Locator:
        return tile(page, number).get_by_role("checkbox")

    box(25).click()
    box(21).click(modifiers=["Shift"])
    expect(selected).to_contain_text("5 selected")
    expect(box(23)).to_be_checked()
    box(23).click(modifiers=["Shift"])  # releases 21 to 23
    expect(selected).to_contain_text("2 selected")
    box(22).press("Shift+Space")
    expect(box(22)).to_be_checked()


def test_many_images_are_zipped_starred_and_discarded_at_once(
    shared: Portal, new_context: ContextMaker, tmp_path: Path
) -> None:
    page = new_context()
    open_gallery(page, shared, "?q=take", email=JONAS)
    selected = page.get_by_role("group", name="Selected images")
    expect(selected).to_be_hidden()
    pick(page, 30, 31, 32)
    expect(selected).to_contain_text("3 selected")

    with page.expect_download() as download:
        selected.get_by_role("button", name="Download zip").click()
    download.value.save_as(tmp_path / "images.zip")
    with zipfile.ZipFile(tmp_path / "images.zip") as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert [re.sub(r"-v\d+\.jpg$", "", name) for name in names] == [
        f"add-the-text-take-{number}" for number in (32, 31, 30)
    ]

    selected.get_by_role("button", name="Star").click()
    expect(page.get_by_text("Starred").and_(page.locator(".mark *"))).to_have_count(3)
    tile(page, 30).get_by_role("checkbox").uncheck()
    expect(selected).to_contain_text("2 selected")

    selected.get_by_role("button", name="Move to trash").click()
    page.get_by_role("button", name="Cancel").click()
    expect(tile(page, 31)).to_be_visible()
    selected.get_by_role("button", name="Move to trash").click()
    page.get_by_role("dialog").get_by_role("button", name="Move to trash").click()
    expect(tile(page, 31)).to_have_count(0)
    expect(tile(page, 32)).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(selected).to_be_hidden()

    page.get_by_role("link", name="Open trash").click()
    page.get_by_role("button", name=re.compile('^Restore .*"take 31"')).click()
    expect(page.get_by_text("Restored.", exact=True)).to_be_visible()
    page.get_by_role("checkbox", name=re.compile("take 32")).check()
    page.get_by_role("button", name="Restore selected").click()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    page.goto(f"{shared.url}{GALLERY}?q=take")
    expect(tile(page, 31)).to_be_visible()
    expect(tile(page, 32)).to_be_visible()


def test_an_open_gallery_shows_new_tiles_that_match_the_filter(
    shared: Portal, new_context: ContextMaker
) -> None:
    page, other = new_context(), new_context()
    open_gallery(page, shared, "?q=border")
    open_gallery(other, shared, "?q=take", email=JONAS)
    expect(page.get_by_text("No edits match")).to_be_visible()
    jonas = Client(shared, email=JONAS, slug="acme-studio")
    [(source,)] = shared.query("SELECT id FROM editor_image WHERE kind = 'source'")
    for count in (1, 2):
        assert jonas.run("add a white border", images=str(source)).status_code == 302
        expect(tiles(page)).to_have_count(count)
    expect(page.get_by_role("status").filter(has_text="2 edits")).to_be_visible()
    expect(tiles(other)).to_have_count(30)
    expect(tiles(other).filter(has_text="border")).to_have_count(0)
    jonas.http.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_pages_have_no_layout_or_accessibility_problems(
    shared: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    open_gallery(page, shared, "?q=take")
    assert_in_order(page, "gallery")
    pick(page, 25, 24)
    assert_in_order(page, "selected")
    page.get_by_role("group", name="Selected images").get_by_role("button", name="Move to trash").click()
    assert_in_order(page, "confirm")
    page.get_by_role("button", name="Cancel").click()
    tile(page, 25).get_by_role("link").click()
    expect(lightbox(page)).to_be_visible()
    assert_in_order(page, "lightbox")
    if size is PHONE:
        assert lightbox(page).bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    lightbox(page).get_by_role("link", name="Share").click()
    page.get_by_role("button", name="Create link").click()
    expect(page.locator(".secret")).to_be_visible()
    assert_in_order(page, "share dialog")
    link = page.locator(".secret").inner_text()
    page.reload()
    assert_in_order(page, "lightbox page")
    for query in ("?status=failed", "?q=zebra", "?status=running"):
        page.goto(f"{shared.url}{GALLERY}{query}")
        assert_in_order(page, query)
    page.goto(f"{shared.url}{GALLERY}?status=failed")
    tiles(page).first.get_by_role("link").click()
    expect(lightbox(page)).to_contain_text("The provider refused.")
    assert_in_order(page, "failed edit")
    page.goto(f"{shared.url}/w/acme-studio/trash/")
    assert_in_order(page, "trash")
    page.goto(link)
    assert_in_order(page, "shared image")
    page.goto(f"{shared.url}/s/nothing/")
    assert_in_order(page, "closed link")
