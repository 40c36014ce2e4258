"""Over a cap in the browser: one person asks, another approves or declines on a page of their own, live."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import Portal
from tests.e2e.studio import PHONE, Studio
from tests.e2e.test_pages import assert_in_order, sign_in

SLUG = "acme-studio"
WARM, COLD, SEPIA = "make it warmer", "make it cool", "make it sepia"
CAP = """
from editor.models import Membership
Membership.objects.filter(user__email="luis@example.test").update(monthly_cap={cap})
"""


@pytest.fixture
def team(portal: Portal) -> Portal:
    """Amara is the owner; Luis may spend one credit a month, and Mei as much as she likes."""
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=100)
    for name in ("luis", "mei"):
        portal.bootstrap(email=f"{name}@example.test", workspace="Acme Studio", credits=100)
    portal.manage("shell", "-c", CAP.format(cap=1))
    return portal


def luis(team: Portal, page: Page) -> Studio:
    return Studio(page, team, email="luis@example.test").begin()


def approvals(team: Portal, page: Page) -> Page:
    """The owner's page."""
    sign_in(page, team, "amara@example.test")
    page.goto(f"{team.url}/w/{SLUG}/")
    page.get_by_role("link", name="Approvals, 0 waiting").click()
    expect(page.get_by_role("heading", name="Approvals")).to_be_visible()
    expect(page.get_by_text("Nothing waits.")).to_be_visible()
    return page


def ask(studio: Studio, prompt: str, why: str = "") -> None:
    studio.prompt.fill(prompt)
    studio.page.get_by_label("Say why (optional)").fill(why)
    studio.page.get_by_role("button", name="Ask for approval").click()
    expect(card(studio.page, prompt)).to_contain_text("Waiting for approval")


def card(page: Page, prompt: str) -> Locator:
    return page.get_by_role("article", name=prompt)


def shot(page: Page, name: str) -> None:
    if folder := os.environ.get("SHOTS"):
        page.screenshot(path=f"{folder}/{name}.png")


def test_an_edit_is_asked_for_approved_and_runs_and_another_comes_back_with_its_reason(
    team: Portal, new_context: ContextMaker
) -> None:
    owner = approvals(team, new_context())
    studio = luis(team, new_context())
    expect(studio.page.get_by_text(re.compile(r"your \w+ cap"))).to_be_visible()
    expect(studio.page.get_by_text("amara can let it run")).to_be_visible()
    expect(studio.run_button).to_have_count(0)
    assert_in_order(studio.page, "over the cap")
    shot(studio.page, "over-cap")
    ask(studio, WARM, "The client wants to see it tonight.")
    expect(studio.page.get_by_label("Say why (optional)")).to_have_value("")
    shot(studio.page, "waiting")

    # The owner's page follows by the socket, and decides by the keyboard.
    expect(card(owner, WARM)).to_contain_text("The client wants to see it tonight.")
    expect(card(owner, WARM)).to_contain_text("Monthly cap: 0 of 1 spent")
    expect(owner.get_by_role("link", name="Approvals, 1 waiting")).to_be_visible()
    ask(studio, COLD)
    expect(card(owner, COLD)).to_be_visible()
    assert_in_order(owner, "approvals")
    shot(owner, "approvals")
    card(owner, WARM).get_by_role("checkbox", name="Also raise luis’s monthly cap by 4, to 5").check()
    card(owner, WARM).get_by_role("button", name="Approve").click()
    expect(owner.get_by_text("Approved. The edit runs now.")).to_be_visible()
    expect(card(owner, WARM)).to_have_count(0)
    expect(card(owner, COLD)).to_be_focused()
    studio.expect_editing("v2")
    expect(card(studio.page, WARM)).to_have_count(0)

    owner.keyboard.press("d")
    expect(owner.get_by_label("Why not?")).to_be_focused()
    owner.get_by_role("button", name="Too expensive").click()
    expect(owner.get_by_label("Why not?")).to_have_value("Too expensive")
    assert_in_order(owner, "declining")
    shot(owner, "declining")
    owner.get_by_role("button", name="Decline with reason").click()
    expect(owner.get_by_text("Nothing waits.")).to_be_visible()
    declined = studio.page.get_by_role("alert").filter(has_text="amara declined it: Too expensive")
    expect(declined).to_contain_text("Nothing was charged.")
    assert_in_order(studio.page, "declined")
    shot(studio.page, "declined")
    declined.get_by_role("link", name="Edit the prompt").click()
    expect(studio.prompt).to_have_value(COLD)

    owner.get_by_role("link", name="Decided 2").click()
    expect(owner.get_by_text("amara approved it and raised the monthly cap by 4")).to_be_visible()
    expect(owner.get_by_text("amara declined it")).to_be_visible()
    assert_in_order(owner, "decided")


def test_keys_walk_the_cards_and_a_reason_being_written_stays(
    team: Portal, new_context: ContextMaker
) -> None:
    owner, studio = approvals(team, new_context()), luis(team, new_context())
    for prompt in (WARM, COLD):
        ask(studio, prompt)
        expect(card(owner, prompt)).to_be_visible()
    owner.keyboard.press("j")
    expect(card(owner, COLD)).to_be_focused()
    owner.keyboard.press("j")
    expect(card(owner, WARM)).to_be_focused()
    owner.keyboard.press("d")
    expect(owner.get_by_label("Why not?")).to_be_focused()
    owner.keyboard.type("a jaded k")  # no key of the page while typing
    ask(studio, SEPIA)
    expect(card(owner, SEPIA)).to_be_visible()
    expect(owner.get_by_label("Why not?")).to_have_value("a jaded k")
    expect(owner.get_by_label("Why not?")).to_be_focused()
    owner.get_by_role("button", name="Back").click()
    expect(card(owner, WARM).get_by_role("button", name="Decline")).to_be_focused()
    owner.keyboard.press("k")
    expect(card(owner, COLD)).to_be_focused()
    owner.keyboard.press("a")
    expect(card(owner, COLD)).to_have_count(0)
    studio.expect_editing("v2")

    # No key acts on another card than that with the focus, nor before the form has come.
    owner.keyboard.press("k")
    expect(card(owner, SEPIA)).to_be_focused()
    held: list[Route] = []
    owner.route(re.compile(r"/approvals/\?.*decline="), lambda route: held.append(route), times=1)
    owner.keyboard.press("d")
    owner.keyboard.press("a")
    studio.wait_until(lambda: held)
    held[0].continue_()
    expect(owner.get_by_label("Why not?")).to_be_focused()
    card(owner, SEPIA).focus()
    owner.keyboard.press("a")
    owner.get_by_role("button", name="Back").click()
    expect(card(owner, SEPIA).get_by_role("button", name="Approve")).to_be_visible()
    expect(card(owner, WARM).get_by_role("button", name="Approve")).to_be_visible()

    card(studio.page, SEPIA).get_by_role("button", name="Cancel").click()
    expect(card(owner, SEPIA)).to_have_count(0)
    expect(card(owner, WARM)).to_be_visible()


def test_what_another_decides_is_said_and_a_new_price_is_asked_anew(
    team: Portal, new_context: ContextMaker
) -> None:
    team.manage(
        "shell",
        "-c",
        "from editor.models import *; Membership.objects.filter(user__email='mei@example.test')"
        ".update(role='admin')",
    )
    owner, studio = approvals(team, new_context()), luis(team, new_context())
    ask(studio, WARM)
    expect(card(owner, WARM)).to_be_visible()
    owner.locator("input[name=price]").evaluate("field => field.value = '1'")
    card(owner, WARM).get_by_role("button", name="Approve").click()
    problem = card(owner, WARM).get_by_text(re.compile(r"The price of this edit has changed from 1 to"))
    expect(problem).to_be_visible()
    mei = new_context()
    sign_in(mei, team, "mei@example.test")
    mei.goto(f"{team.url}/w/{SLUG}/approvals/")
    expect(problem).to_be_visible()
    card(mei, WARM).get_by_role("button", name="Approve").click()
    expect(owner.get_by_text("luis: “make it warmer”. mei approved it.")).to_be_visible()
    expect(card(owner, WARM)).to_have_count(0)
    studio.expect_editing("v2")


@pytest.fixture(scope="module")
def waiting(portals: Path) -> Iterator[Portal]:
    """Three edits wait; one was approved and one declined."""
    folder = portals / "approvals"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    portal.bootstrap(email="amara@example.test", workspace="Acme Studio", credits=5_000)
    portal.bootstrap(email="luis@example.test", workspace="Acme Studio", credits=5_000)
    portal.manage("shell", "-c", CAP.format(cap=1) + WAITING)
    yield portal
    portal.remove()


WAITING = """
from editor.access import lookups
from editor.models import User, Workspace
from editor.operations import approvals, images, jobs
Workspace.objects.update(monthly_limit=2000)
actor = lookups.actor(User.objects.get(email="luis@example.test"), "acme-studio")
User.objects.filter(email="luis@example.test").update(name="Luis Ortega")
prompts = {
    "coffee": "Same cup in mustard, matte glaze",
    "portrait": "Change the suit to white",
    "rocket": "Replace the sky with a warm dawn, keep the towers and every light as they are",
}
def ask(name, prompt):
    image = images.find_or_add_sample(actor=actor, name=name)
    return jobs.submit(actor=actor, request=jobs.NewEdit(prompt=prompt, image_ids=(image.id,),
                       approval_message="The client wants to see it tonight."))
owner = lookups.actor(User.objects.get(email="amara@example.test"), "acme-studio")
approved, declined = ask("coffee", "make it warmer"), ask("coffee", "make it cool")
approvals.approve(actor=owner, job=approved, price=approved.price)
approvals.decline(actor=owner, job=declined, reason="A cheaper model first, please.")
for name, prompt in prompts.items():
    ask(name, prompt)
"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_the_page_is_in_order(
    waiting: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, waiting, "amara@example.test")
    page.goto(f"{waiting.url}/w/{SLUG}/approvals/")
    expect(page.get_by_role("article")).to_have_count(3)
    assert_in_order(page, "approvals")
    shot(page, f"page-{'phone' if size else 'desktop'}-{theme}")
    page.get_by_role("button", name="Decline").nth(1).click()
    expect(page.get_by_label("Why not?")).to_be_focused()
    assert_in_order(page, "declining")
    shot(page, f"declining-{'phone' if size else 'desktop'}-{theme}")
    page.goto(f"{waiting.url}/w/{SLUG}/approvals/?show=decided")
    expect(page.get_by_text("amara declined it")).to_be_visible()
    expect(page.get_by_role("article")).to_have_count(2)
    assert_in_order(page, "decided")
    shot(page, f"decided-{'phone' if size else 'desktop'}-{theme}")
    page.goto(f"{waiting.url}/accounts/")
    expect(page.get_by_label("Mail about approvals")).to_be_checked()
    assert_in_order(page, "account")
    sign_in(studio := new_context(**size, color_scheme=theme), waiting, "luis@example.test")
    expect(studio.get_by_text("Waiting for approval").first).to_be_visible()
    studio.get_by_role("button", name="Rocket").click()
    studio.get_by_label("What should change?").fill("make it warmer")
    expect(studio.get_by_role("button", name="Ask for approval")).to_be_visible()
    assert_in_order(studio, "studio over the cap")
    shot(studio, f"studio-{'phone' if size else 'desktop'}-{theme}")
