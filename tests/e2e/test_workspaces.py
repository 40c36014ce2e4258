"""A workspace in the browser: first steps with a provider, its settings, deletion and restoring."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import LASTING, PASSWORD, Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, dismiss, sign_in
from tests.emulators.bfl import Bfl

PHOTO = Path(__file__).resolve().parents[2] / "static" / "samples" / "cat.jpg"
SIZES = {"desktop": DESKTOP, "phone": PHONE}


@pytest.fixture(scope="module")
def bfl() -> Iterator[Bfl]:
    with Bfl() as emulator:
        yield emulator


@pytest.fixture
def portal(portals: Path, bfl: Bfl, request: pytest.FixtureRequest) -> Iterator[Portal]:
    folder = portals / request.node.name.replace("[", "-").strip("]")
    folder.mkdir()
    portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", BFL_BASE_URL=bfl.url)
    portal.start()
    yield portal
    portal.remove()


def test_the_first_start_connects_a_provider(portal: Portal, bfl: Bfl, new_context: ContextMaker) -> None:
    page = new_context()
    page.goto(portal.url)
    page.get_by_label("Your name").fill("Amara Okafor")
    page.get_by_label("Email").fill("amara@example.test")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Workspace name").fill("Acme Studio")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Connect a model provider")).to_be_visible()
    assert page.locator(".setup-card").count() == 6
    assert_in_order(page, "providers of the first start")

    key = page.get_by_label("Key for Black Forest Labs", exact=True)
    card = page.locator("#setup-bfl")
    key.fill("not-a-key-of-bfl")
    key.press("Enter")
    expect(card.get_by_role("status")).to_contain_text("does not accept this key")
    assert_in_order(page, "a refused key")
    expect(key).to_have_value("not-a-key-of-bfl")  # to be corrected
    key.fill(bfl.key)
    key.press("Enter")
    expect(card.get_by_role("status")).to_contain_text("Works, answered in")
    expect(card.get_by_text("Connected")).to_be_visible()
    assert_in_order(page, "a key that works")
    page.set_viewport_size({"width": 390, "height": 844})
    assert_in_order(page, "providers of the first start on a phone")
    page.set_viewport_size({"width": 1440, "height": 900})

    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", name="Invite your team")).to_be_visible()
    assert_in_order(page, "the team of the first start")
    page.get_by_role("button", name="Continue to the first edit").click()
    expect(page.get_by_role("button", name=re.compile("^Run"))).to_be_visible()
    expect(page.get_by_label("What should change?")).to_have_value("Turn this into a gouache painting")
    page.goto(f"{portal.url}/w/acme-studio/settings/general/")
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    expect(page.get_by_role("link", name="Connect", exact=True)).to_have_count(0)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_the_pages_of_a_workspace_have_no_layout_or_accessibility_problems(
    common_portal: Portal, new_context: ContextMaker, size: str, theme: Any
) -> None:
    page = new_context(**SIZES[size], color_scheme=theme)
    sign_in(page, common_portal, "amara@example.test")
    for path in (
        "/w/acme-studio/settings/general/",
        "/w/acme-studio/settings/general/delete/",
        "/w/acme-studio/setup/",
        "/w/acme-studio/setup/team/",
        "/workspaces/",
        "/workspaces/new/",
    ):
        page.goto(f"{common_portal.url}{path}")
        assert_in_order(page, path)


def test_a_workspace_is_renamed_moved_exported_deleted_and_restored(
    portal: Portal, new_context: ContextMaker, tmp_path: Path
) -> None:
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=500)
    portal.bootstrap(email="jonas@example.test", workspace="Acme Studio", credits=500)
    owner, member = new_context(), new_context()
    sign_in(owner, portal, "amara@example.test")
    sign_in(member, portal, "jonas@example.test")
    member.get_by_role("button", name="Coffee").click()
    expect(member.get_by_text("Editing the original")).to_be_visible()

    general = f"{portal.url}/w/acme-studio/settings/general/"
    owner.get_by_role("button", name="Workspace: Acme Studio").click()
    owner.get_by_role("link", name="Settings").click()
    owner.wait_for_url(general)
    owner.get_by_label("Image file").set_input_files(PHOTO)
    owner.get_by_role("button", name="Save picture").click()
    expect(owner.get_by_text("Picture saved.")).to_be_visible()
    picture = owner.locator(".topbar .workspace-picture").first
    expect(picture).not_to_have_js_property("naturalWidth", 0)
    dismiss(owner)
    owner.get_by_role("textbox", name="Address").fill("acme")
    owner.get_by_role("button", name="Change address").click()
    owner.wait_for_url(f"{portal.url}/w/acme/settings/general/")
    with owner.expect_download() as downloading:
        owner.get_by_role("button", name="Export").click()
    downloading.value.save_as(tmp_path / "export.zip")
    assert_export(tmp_path / "export.zip")

    # The member's page, loaded at the old address, still follows its edit, until the workspace is deleted.
    member.get_by_label("What should change?").fill(f"{LASTING} make it black and white")
    member.get_by_role("button", name=re.compile("^Run")).click()
    expect(member.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
    delete(owner, portal)
    expect(member.get_by_role("paragraph").filter(has_text="“Acme Studio” was deleted.")).to_be_visible()
    gone = member.goto(f"{portal.url}/w/acme/gallery/")
    assert gone and gone.status == 404

    expect(owner.get_by_role("heading", name="Deleted workspaces")).to_be_visible()
    assert_in_order(owner, "a deleted workspace")
    owner.get_by_role("button", name="Restore Acme Studio").click()
    owner.wait_for_url(f"{portal.url}/w/acme/settings/general/")
    expect(owner.locator("#balance")).to_have_text("500")  # the edit was refunded
    member.goto(f"{portal.url}/w/acme-studio/gallery/")
    assert member.url == f"{portal.url}/w/acme/gallery/"


def delete(owner: Page, portal: Portal) -> None:
    owner.get_by_role("link", name="Delete workspace").click()
    expect(owner.get_by_text("One edit is running")).to_be_visible()
    owner.get_by_label("Type the name").fill("Acme")
    owner.get_by_role("button", name="Delete workspace").click()
    expect(owner.get_by_text("This is not the name")).to_be_visible()
    owner.get_by_label("Type the name").fill("Acme Studio")
    owner.get_by_role("button", name="Delete workspace").click()
    owner.wait_for_url(f"{portal.url}/workspaces/")


def assert_export(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        [line] = archive.read("recipes.jsonl").decode().splitlines()
        assert json.loads(line)["file"] in archive.namelist()
