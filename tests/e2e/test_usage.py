"""Credits & usage in a browser: chart, ledger, proof and CSV, by pointer, keys and the socket."""

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
MEMBER = "mei@example.test"
CREDITS = "/w/acme-studio/credits/"
FILL = """
from datetime import date
from editor.models import Status, User, Workspace
from tests.factories import make_workspace
from tests.spending import end, move_credits, spend, start
from editor.queries import limits
workspace = Workspace.objects.get()
Workspace.objects.update(monthly_limit=2000, approval_threshold=20)
owner, mei = User.objects.get(email="amara@example.test"), User.objects.get(email="mei@example.test")
User.objects.filter(pk=owner.pk).update(name="Amara Okafor")
User.objects.filter(pk=mei.pk).update(name="Mei Tanaka")
move_credits(workspace, make_workspace(name="Acme Print", owner=owner, balance=0))
first = limits.today(workspace).replace(day=1)
for number in range(20):
    spend(workspace, owner, on=first, prompt=f"make it bluer, number {number}")
spend(workspace, mei, on=first, model="black-forest-labs/flux-2-pro", price=5, prompt="a gouache painting")
end(start(workspace, mei, spent_on=first, prompt="too dark"), Status.FAILED)
end(start(workspace, owner, spent_on=first, prompt="never mind"), Status.CANCELED)
for number in range(10):
    spend(workspace, owner, on=first, price=1, model="black-forest-labs/flux-kontext-max")
"""


@pytest.fixture(scope="module")
def spent(portals: Path) -> Iterator[Portal]:
    """A portal with two members and more than a page of lines."""
    folder = portals / "usage"
    folder.mkdir()
    portal = Portal(folder, CREDIT_PRICE="0.04")
    portal.start()
    portal.bootstrap(email=EMAIL, workspace="Acme Studio", credits=1000)
    portal.bootstrap(email=MEMBER, workspace="Acme Studio", credits=1000, role="editor")
    portal.manage("shell", "--no-imports", "-c", FILL)
    yield portal
    portal.remove()


@pytest.fixture
def page(spent: Portal, new_context: ContextMaker) -> Page:
    page = new_context()
    sign_in(page, spent, EMAIL)
    page.goto(f"{spent.url}/w/acme-studio/gallery/")
    page.get_by_role("banner").get_by_role("link", name=re.compile("^Credits:")).click()
    expect(page).to_have_url(spent.url + CREDITS)
    return page


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_it_has_no_layout_or_accessibility_problems(
    spent: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, spent, EMAIL)
    page.goto(spent.url + CREDITS)
    page.locator(".lines summary").first.click()
    page.locator(".columns [tabindex='0']").focus()
    assert_in_order(page, "credits and usage")
    page.goto(f"{spent.url}{CREDITS}?by=member&per=month&state=running")
    expect(page.get_by_text("No lines match")).to_be_visible()
    assert_in_order(page, "no lines")
    page.goto(f"{spent.url}{CREDITS}?month=2024-02")
    expect(page.get_by_text("Nothing was spent in February")).to_be_visible()
    assert_in_order(page, "an empty month")
    page.goto(f"{spent.url}{CREDITS}?state=failed")
    page.locator(".lines summary").first.click()
    page.get_by_role("link", name="Open the edit").click()
    expect(page.get_by_role("heading", name="Credits")).to_be_visible()
    assert_in_order(page, "an edit with its entries")


def test_the_chart_follows_pointer_and_keys(page: Page) -> None:
    columns = page.locator(".columns li")
    columns.first.hover()
    tip = columns.first.locator(".figures")
    expect(tip).to_be_visible()
    expect(tip).to_contain_text(re.compile("FLUX.1 Kontext .pro.*80"))
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    columns.first.locator("span").first.focus()
    expect(tip).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(columns.nth(1).locator("span").first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    name = columns.first.locator("span").first
    expect(name).to_be_focused()
    expect(name).to_have_accessible_name(re.compile(r"1 \w+: 95 credits, FLUX.1 Kontext \[pro\] 80"))


def test_the_chart_is_split_by_other_things_and_keeps_the_focus(page: Page) -> None:
    page.get_by_role("radio", name="Model").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("rowheader", name="Mei Tanaka")).to_be_visible()
    expect(page).to_have_url(re.compile("by=member"))
    expect(page.get_by_role("radio", name="Member")).to_be_focused()
    page.get_by_label("Columns").select_option("Month")
    expect(page.get_by_role("heading", name="Credits per month")).to_be_visible()
    page.reload()
    expect(page.get_by_role("radio", name="Member")).to_be_checked()
    row = page.locator(".split tr", has_text="Amara Okafor")
    expect(row).to_contain_text("90")
    expect(row).to_contain_text("95 %")
    expect(row).to_contain_text("$3.60")
    page.go_back()
    expect(page.get_by_role("heading", name="Credits per day")).to_be_visible()


def test_lines_are_filtered_paged_and_opened(page: Page) -> None:
    lines = page.locator(".lines tbody tr")
    page.get_by_label("Person").select_option("Mei Tanaka")
    expect(lines).to_have_count(2)
    page.get_by_label("Search prompts").fill("gouache")
    expect(lines).to_have_count(1)
    expect(page).to_have_url(re.compile("q=gouache&person="))
    lines.locator("summary").click()
    expect(lines.get_by_text(re.compile(r"^Entry \d+"))).to_have_count(2)
    expect(lines.get_by_text("5 credits, as quoted")).to_be_visible()
    page.get_by_label("Search prompts").fill("")
    expect(lines).to_have_count(2)  # the search waits for a pause in typing
    page.get_by_label("Person").select_option("Everyone")
    expect(lines).to_have_count(30)
    page.get_by_role("link", name="Older").click()
    expect(page.get_by_role("link", name="Newest")).to_be_visible()
    expect(lines.filter(has_text="Unspent monthly credits")).to_contain_text("Expired")
    page.get_by_label("Kind").select_option("Transferred")
    expect(lines).to_have_count(2)
    expect(lines.last).to_contain_text("Transferred to Acme Print")
    lines.last.locator("summary").click()
    expect(lines.last.get_by_text("Transferred to Acme Print: Autumn catalogue")).to_be_visible()


def test_the_limits_say_what_is_used_and_lead_to_where_they_are_changed(page: Page) -> None:
    limits = page.get_by_role("region", name="Limits")
    expect(limits).to_contain_text(re.compile(r"Monthly budget\s+\d+ of 2,000 used\s*It resets on 1"))
    expect(limits).to_contain_text(re.compile(r"Approval\s+Above 20 credits"))
    limits.get_by_role("link", name="Change Monthly budget").click()
    expect(page.get_by_label("Monthly budget")).to_have_value("2000")


def test_a_proof_and_the_file_match_the_balance(page: Page, spent: Portal, tmp_path: Path) -> None:
    proof = page.get_by_role("form", name="Proof")
    proof.get_by_role("button", name=re.compile("^Check")).click()
    expect(proof).to_contain_text(re.compile(r"Recomputed from \d+ entries: matches"))
    expect(proof.get_by_role("button", name="Check again")).to_be_visible()
    with page.expect_download() as started:
        page.get_by_role("link", name="Export CSV").click()
    file = tmp_path / started.value.suggested_filename
    started.value.save_as(file)
    with file.open(newline="") as opened:
        total = sum(int(row["Credits"]) for row in csv.DictReader(opened))
    [(balance,)] = spent.query("SELECT max(balance) FROM editor_creditaccount")
    assert total == balance
    tile = page.locator(".stat", has_text="Balance")
    expect(tile).to_contain_text(f"{balance:,}")


def test_a_running_line_becomes_final_by_itself(page: Page, spent: Portal, new_context: ContextMaker) -> None:
    mei = new_context()
    sign_in(mei, spent, MEMBER)
    mei.get_by_role("button", name="Coffee").click()
    expect(mei.get_by_text("Editing the original")).to_be_visible()
    mei.get_by_label("What should change?").fill("turn this into a gouache painting")
    with spent.no_new_images():
        mei.get_by_role("button", name=re.compile("^Run")).click()
        expect(mei.get_by_role("button", name=re.compile("^Cancel"))).to_be_visible()
        page.reload()
        line = page.locator(".lines tbody tr").first
        expect(line).to_contain_text("Running")
        line.locator("summary").click()
        expect(page.locator(".stat", has_text="Held")).to_contain_text("1 edit")
    expect(line).to_contain_text("Done")
    expect(line).to_contain_text("as quoted")
    expect(line.locator("img")).to_be_visible()
    expect(page.locator(".stat", has_text="Held")).to_contain_text("No edit is running")
    mei.goto(spent.url + CREDITS)
    expect(mei.locator(".stat", has_text="Spent this month")).to_contain_text("by you")
    expect(mei.get_by_text("make it bluer")).to_have_count(0)
