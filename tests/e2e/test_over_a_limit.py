"""A member's limit, from its setting to the ledger: three browsers, and every credit accounted for."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import Studio
from tests.e2e.team import row_of, set_cap
from tests.e2e.test_pages import sign_in

PRICE = 4
WARM, COLD, SEPIA, GREY = "make it warmer", "make it cool", "make it sepia", "make it black and white"


@dataclass(frozen=True)
class People:
    """Each in a browser of their own: the owner, an admin, and the editor whose edits are limited."""

    portal: Portal
    owner: Page
    admin: Page
    editor: Studio

    def open(self, page: Page, path: str) -> Page:
        page.goto(f"{self.portal.url}/w/acme-studio/{path}")
        return page


@pytest.fixture
def people(portal: Portal, new_context: ContextMaker) -> People:
    for name, role in (("amara", "owner"), ("jonas", "admin"), ("luis", "editor")):
        portal.bootstrap(email=f"{name}@example.test", workspace="Acme Studio", credits=100, role=role)
    owner, admin, editor = new_context(), new_context(), new_context()
    sign_in(owner, portal, "amara@example.test")
    sign_in(admin, portal, "jonas@example.test")
    return People(portal, owner, admin, Studio(editor, portal, email="luis@example.test").begin())


def test_an_edit_over_a_limit_is_asked_for_decided_and_accounted_for(people: People, tmp_path: Path) -> None:
    the_owner_sets_a_limit(people)
    the_composer_shows_it_once_it_is_spent(people)
    the_editor_asks_and_nothing_is_held(people)
    the_admin_sees_it_live_and_approves(people)
    another_comes_back_with_its_reason(people)
    a_third_is_approved_and_the_cap_raised(people)
    ledger_and_chart_show_it(people)
    the_file_adds_up_to_the_balance(people, tmp_path)


def the_owner_sets_a_limit(people: People) -> None:
    set_cap(people.open(people.owner, "settings/members/"), "luis", "5")
    expect(row_of(people.owner, "luis")).to_contain_text("0 of 5")


def the_composer_shows_it_once_it_is_spent(people: People) -> None:
    editor = people.editor
    editor.edit(WARM, becomes="v2")
    over = editor.page.get_by_text(
        re.compile(r"This needs 4 credits, and 1 credit of your \w+ cap is left\.")
    )
    expect(over).to_be_visible()
    expect(
        editor.page.get_by_text(re.compile("^4 of 5 · resets on 1 .* · amara or jonas can"))
    ).to_be_visible()
    expect(editor.run_button).to_have_count(0)


def the_editor_asks_and_nothing_is_held(people: People) -> None:
    people.open(people.admin, "approvals/")
    expect(people.admin.get_by_text("Nothing waits.")).to_be_visible()
    ask(people, COLD, "The client wants to see it tonight.")
    expect(tile(people.open(people.owner, "credits/"), "Held")).to_contain_text("No edit is running")
    expect(tile(people.owner, "Balance")).to_contain_text("96")


def the_admin_sees_it_live_and_approves(people: People) -> None:
    card = card_of(people.admin, COLD)
    expect(card).to_contain_text("“The client wants to see it tonight.”")
    expect(card).to_contain_text("Monthly cap: 4 of 5 spent")
    expect(people.admin.get_by_role("button", name="Notices 1 unread")).to_be_visible()
    card.get_by_role("button", name="Approve").click()
    expect(people.admin.get_by_text("Approved. The edit runs now.")).to_be_visible()
    expect(card).to_have_count(0)
    expect(people.admin.get_by_role("button", name="Notices", exact=True)).to_be_visible()
    people.editor.expect_editing("v3")
    expect(people.editor.page.get_by_role("button", name="Ask for approval")).to_be_visible()


def another_comes_back_with_its_reason(people: People) -> None:
    ask(people, SEPIA)
    card = card_of(people.admin, SEPIA)
    card.get_by_role("button", name="Decline").click()
    people.admin.get_by_label("Why not?").fill("Not in the brand's colours")
    people.admin.get_by_role("button", name="Decline with reason").click()
    expect(card).to_have_count(0)
    declined = people.editor.page.get_by_role("alert").filter(has_text="jonas declined it")
    expect(declined).to_contain_text("jonas declined it: Not in the brand's colours")
    expect(declined).to_contain_text("Nothing was charged.")


def a_third_is_approved_and_the_cap_raised(people: People) -> None:
    ask(people, GREY)
    card = card_of(people.admin, GREY)
    card.get_by_label("Also raise luis’s monthly cap by 4, to 9").check()
    card.get_by_role("button", name="Approve").click()
    people.editor.expect_editing("v4")
    expect(people.editor.run_button).to_be_visible()  # 4 of 9 are spent
    expect(row_of(people.open(people.owner, "settings/members/"), "luis")).to_contain_text("of 9")


def ledger_and_chart_show_it(people: People) -> None:
    owner = people.open(people.owner, "credits/?by=member")
    expect(tile(owner, "Balance")).to_contain_text(str(100 - 3 * PRICE))
    expect(tile(owner, "Held")).to_contain_text("No edit is running")
    expect(tile(owner, "Spent this month")).to_contain_text(str(3 * PRICE))
    states = {WARM: "Done", COLD: "Done, approved", GREY: "Done, approved"}
    ledger = owner.get_by_role("region", name="Ledger")
    for prompt, state in states.items():
        line = ledger.get_by_role("row").filter(has_text=prompt)
        expect(line.locator(".state")).to_have_text(state)
        expect(line.locator(".change")).to_have_text("−4")
    expect(ledger.get_by_role("row").filter(has_text=SEPIA)).to_have_count(0)
    of_luis = owner.get_by_role("row").filter(has=owner.get_by_role("rowheader", name="luis"))
    expect(of_luis.get_by_role("cell")).to_contain_text(["3", "12", "", "100 %"])
    people.open(owner, "approvals/?show=decided")
    expect(owner.get_by_text("jonas approved it and raised the monthly cap by 4")).to_be_visible()
    expect(owner.get_by_text("“Not in the brand's colours”")).to_be_visible()


def the_file_adds_up_to_the_balance(people: People, folder: Path) -> None:
    owner = people.open(people.owner, "credits/")
    proof = owner.get_by_role("form", name="Proof")
    proof.get_by_role("button", name=re.compile("^Check")).click()
    expect(proof).to_contain_text(re.compile(r"Recomputed from \d+ entries: matches"))
    with owner.expect_download() as started:
        owner.get_by_role("link", name="Export CSV").click()
    file = folder / started.value.suggested_filename
    started.value.save_as(file)
    with file.open(newline="") as opened:
        rows = list(csv.DictReader(opened))
    assert sum(int(row["Credits"]) for row in rows) == 100 - 3 * PRICE
    assert people.portal.query("SELECT balance, held FROM editor_creditaccount") == [(100 - 3 * PRICE, 0)]


def ask(people: People, prompt: str, why: str = "") -> None:
    page = people.editor.page
    people.editor.prompt.fill(prompt)
    page.get_by_label("Say why (optional)").fill(why)
    page.get_by_role("button", name="Ask for approval").click()
    expect(card_of(page, prompt)).to_contain_text("Waiting for approval")


def card_of(page: Page, prompt: str) -> Locator:
    """On the page Approvals, or in the Studio of who asked."""
    return page.get_by_role("article", name=prompt)


def tile(page: Page, name: str) -> Locator:
    return page.locator(".stat", has_text=name)
