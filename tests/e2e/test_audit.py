"""The audit log in a browser: filters that replace the URL, older entries, CSV; and mails in the admin."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, sign_in

EMAIL = "amara@example.test"
AUDIT = "/w/acme-studio/settings/audit/"
FILL = """
from editor.models import User, Workspace
from editor.operations import audit
workspace, owner = Workspace.objects.get(), User.objects.get()
for number in range(120):
    audit.record(workspace=workspace, actor=owner, action="images.trashed", data={"images": number})
audit.record(
    workspace=workspace, actor=owner, action="membership.changed", target="=mei@example.test",
    before={"role": "editor"}, after={"role": "viewer"}, address="2001:db8:1234:5678:9abc:def0:1234:5678",
)
"""


@pytest.fixture(scope="module")
def audited(portals: Path) -> Iterator[Portal]:
    """A portal with three pages of entries."""
    folder = portals / "audit"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    portal.bootstrap(email=EMAIL, workspace="Acme Studio", credits=100)
    portal.manage("shell", "--no-imports", "-c", FILL)
    yield portal
    portal.remove()


@pytest.fixture
def page(audited: Portal, new_context: ContextMaker) -> Page:
    page = new_context()
    sign_in(page, audited, EMAIL)
    page.goto(audited.url + AUDIT)
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_has_no_layout_or_accessibility_problems(
    audited: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, audited, EMAIL)
    page.goto(audited.url + AUDIT)
    assert_in_order(page, "audit log")
    page.get_by_label("Action").select_option("Webhooks")
    expect(page.get_by_text("No entries match")).to_be_visible()
    assert_in_order(page, "no entries")


def test_a_filter_replaces_the_url_and_works_by_keyboard(page: Page) -> None:
    page.get_by_label("Person").press_sequentially(EMAIL)
    expect(page).to_have_url(re.compile("by=amara"))
    page.get_by_label("Action").focus()
    page.get_by_label("Action").select_option("Members")
    expect(page).to_have_url(re.compile("group=members"))
    rows = page.locator(".audit tbody tr")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Changed role of =mei@example.test: Editor → Viewer")
    assert page.evaluate("document.activeElement.id") == "audit-group"
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("Action")).to_have_value("members")
    page.go_back()
    expect(page).to_have_url(re.compile("/w/acme-studio/$"))  # no entry of the history for each filter


def test_older_entries_follow(page: Page) -> None:
    rows = page.locator(".audit tbody tr:not(.older)")
    expect(rows.first).to_be_visible()
    for more in ("Moved 60 images", "Moved 20 images", "Moved 0 images"):
        last = page.get_by_text(more)
        while not last.count():
            rows.last.scroll_into_view_if_needed()
            page.wait_for_timeout(50)
    expect(page.locator(".audit .older")).to_have_count(0)


def test_the_csv_file_has_what_the_filter_shows(page: Page, tmp_path: Path) -> None:
    page.get_by_label("Action").select_option("Images")
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("group=images"))
    with page.expect_download() as started:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    assert file.name == "acme-studio-audit-log.csv"
    with file.open(newline="") as opened:
        _, *rows = csv.reader(opened)
    assert [row[4] for row in rows[:2]] == [f"Moved {number} images to the trash" for number in (119, 118)]
    assert len(rows) == 120


def test_operators_see_each_mail_in_its_frame(page: Page, audited: Portal) -> None:
    page.goto(f"{audited.url}/admin/")
    page.get_by_role("link", name=re.compile("^Mails")).click()
    page.get_by_role("link", name="Amara Okafor invites you to Acme Studio").click()
    frame = page.frame_locator("iframe.mail")
    button = frame.get_by_role("link", name="Open the invitation")
    expect(button).to_be_visible()
    assert button.evaluate("link => getComputedStyle(link).backgroundColor") == "rgb(47, 85, 212)"
    expect(page.get_by_text("There is no mail server")).to_be_visible()
    page.goto(f"{audited.url}/admin/editor/auditentry/?group=members")
    expect(page.get_by_role("cell", name=re.compile("^Changed role of =mei"))).to_be_visible()
