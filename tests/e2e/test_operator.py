"""The operator's day in a browser, and the operator's pages in both themes and sizes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import ContextMaker
from tests.e2e.portal import PASSWORD, Portal
from tests.e2e.test_pages import DESKTOP, PHONE, assert_in_order, settle, sign_in
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.faults import Fault, Step

OPERATOR, OWNER = "ada@example.test", "mei@example.test"
PAGES = (
    "",
    "workspaces/",
    "plans/",
    "people/",
    "providers/",
    "models/",
    "edits/",
    "ledger/",
    "audit/",
    "mail/",
)
OWNER_WITH_FACTOR = f"""
from allauth.mfa.models import Authenticator
from editor.operations import workspaces
user = workspaces.create_user(email="{OWNER}", password={PASSWORD!r}, name="Mei Tanaka")
"""
FACTOR = f"""
from allauth.mfa.models import Authenticator
from editor.models import User
Authenticator.objects.create(user=User.objects.get(email="{OWNER}"), type="totp", data={{"secret": "x"}})
"""
# A day with edits at two providers, one of which fails, and a workspace that runs out of credits.
DAY = """
from datetime import timedelta
from django.utils import timezone
from editor.models import DailyUsage, Job, JobEvent, Status, User, Workspace
from editor.operations import credits, workspaces
ada, mine = User.objects.get(email="ada@example.test"), Workspace.objects.get()
for name, balance in (("Northlight Photo", 14_210), ("Harbour Press", 38), ("Kiln & Clay", 212)):
    made = workspaces.create(name=name, owner=ada)
    credits.grant(workspace=made, amount=balance, actor=ada, note="Invoice paid")
now = timezone.now()
for hour in range(24):
    for number in range(4):
        at, fails = now - timedelta(hours=hour, minutes=number), number == 3 and hour < 4
        end = {"status": Status.COMPLETED, "charged": 4, "provider_cost": "0.04" if number % 2 else None}
        if fails:
            error = "The provider did not finish within 60 seconds. Try again."
            end = {"status": Status.FAILED, "error_code": "timeout", "error": error}
        job = Job.objects.create(
            workspace=mine, created_by=ada, model="black-forest-labs/flux-kontext-pro", prompt="x",
            provider="bfl" if number % 2 else "fal", target="x", time_limit=60, price=4,
            started_at=at - timedelta(seconds=9), submitting_at=at - timedelta(seconds=8), finished_at=at,
            **end,
        )
        Job.objects.filter(pk=job.pk).update(created_at=at - timedelta(seconds=10 + hour % 5))
        JobEvent.objects.create(job=job, kind="task_error" if fails else "task_postprocess_end", note="")
press = Workspace.objects.get(name="Harbour Press").pk
for day in range(30):
    DailyUsage.objects.create(
        account_id=press, day=now.date() - timedelta(days=day), user=ada, model="m", channel="web",
        provider="bfl", edits=day % 5, credits=40 + 10 * (day % 5),
    )
"""


@dataclass(frozen=True)
class Setting:
    portal: Portal
    bfl: Bfl
    fal: Fal


@pytest.fixture
def setting(portals: Path) -> Iterator[Setting]:
    """A portal without provider keys, with an operator, a person, and two providers to connect."""
    folder = portals / "operator"
    folder.mkdir()
    with ExitStack() as stack:
        bfl, fal = stack.enter_context(Bfl()), stack.enter_context(Fal())
        portal = Portal(folder, OUTBOUND_ALLOW="127.0.0.0/8", BFL_BASE_URL=bfl.url, FAL_BASE_URL=fal.url)
        stack.callback(portal.remove)
        portal.start()
        portal.bootstrap(email=OPERATOR, workspace="Acme Studio", credits=100)
        portal.manage("shell", "--no-imports", "-c", OWNER_WITH_FACTOR)
        yield Setting(portal, bfl, fal)


def test_the_operators_day(setting: Setting, new_context: ContextMaker) -> None:
    page, mei = new_context(), new_context()
    sign_in(page, setting.portal, OPERATOR)
    page.get_by_role("button", name="your account").click()
    page.get_by_role("link", name="Operator").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    a_workspace_is_made(page)
    it_gets_a_plan_and_credits(page)
    the_portal_gets_keys(page, setting)
    sign_in(mei, setting.portal, OWNER)
    a_failing_provider_is_switched_off(page, mei, setting)
    the_workspace_is_suspended_and_resumed(page, mei)
    a_lost_factor_is_reset(page, setting)
    every_act_is_in_the_audit_log(page, setting)
    the_owner_cannot_reach_any_of_it(mei, setting)


def go(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Operator").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def send(page: Page, button: str, **fields: str) -> None:
    """Fill in the dialog and send it."""
    dialog = page.get_by_role("dialog")
    for label, value in fields.items():
        dialog.get_by_label(label.replace("_", " "), exact=True).fill(value)
    dialog.get_by_role("button", name=button).click()


def says(page: Page, text: str) -> None:
    expect(page.get_by_role("region", name="Notifications")).to_contain_text(text)
    expect(page.get_by_role("dialog")).to_have_count(0)


def a_workspace_is_made(page: Page) -> None:
    go(page, "Workspaces")
    page.get_by_role("link", name="New workspace").click()
    send(page, "Create workspace", Name="Harbour Press", **{"Owner's email": OWNER})
    says(page, "“Harbour Press” was created. Its address is harbour-press.")
    page.get_by_role("searchbox", name="Find a workspace").press_sequentially("harb")
    expect(page.get_by_role("row", name=re.compile("Acme Studio"))).to_have_count(0)
    page.get_by_role("link", name="Harbour Press", exact=True).click()
    expect(page.get_by_text(OWNER)).to_be_visible()


def it_gets_a_plan_and_credits(page: Page) -> None:
    go(page, "Plans")
    page.get_by_role("link", name="New plan").click()
    send(page, "Create plan", Name="Agency", Monthly_credits="2000")
    says(page, "Plan Agency saved.")
    expect(page.get_by_role("row", name=re.compile("Agency"))).to_contain_text("They expire")
    page.get_by_role("link", name="Change plan Agency").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Unspent monthly credits").select_option("Up to a number of them stay")
    send(page, "Save plan", At_most_this_many_stay="0")
    expect(dialog.get_by_text("Enter how many credits stay.")).to_be_visible()
    send(page, "Save plan", At_most_this_many_stay="500")
    says(page, "Plan Agency saved.")
    expect(page.get_by_role("row", name=re.compile("Agency"))).to_contain_text("Up to 500 stay")
    go(page, "Workspaces")
    page.get_by_role("link", name="Harbour Press", exact=True).click()
    page.get_by_role("link", name="Change plan").click()
    page.get_by_role("dialog").get_by_label("Plan").select_option("Agency")
    send(page, "Change plan")
    says(page, "Harbour Press has the plan Agency now.")
    expect(page.get_by_text("2,000 credits a month, 2,000 left")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Monthly credits"))).to_contain_text("+2,000")

    page.get_by_role("link", name="Give credits").click()
    expect(dialog.get_by_role("heading", name="Give credits to Harbour Press")).to_be_visible()
    dialog.get_by_role("button", name="1,000", exact=True).click()
    expect(dialog.get_by_text("3,000 credits", exact=True)).to_be_visible()
    dialog.get_by_label("Amount").fill("-2001")
    expect(dialog.get_by_text("below zero: not possible")).to_be_visible()
    send(page, "Give credits", Reason="Typo")
    expect(dialog.get_by_text("it cannot go below zero")).to_be_visible()
    send(page, "Give credits", Amount="1000", Reason="Invoice 2026-0412 paid")
    says(page, "Harbour Press has 3,000 credits now.")
    expect(page.get_by_role("row", name=re.compile("Invoice 2026-0412 paid"))).to_contain_text("+1,000")
    page.get_by_role("link", name="Give credits").click()
    send(page, "Give credits", Amount="-100", Reason="It was for 900")
    says(page, "Harbour Press has 2,900 credits now.")
    expect(page.get_by_role("row", name=re.compile("It was for 900"))).to_contain_text("−100")


def the_portal_gets_keys(page: Page, setting: Setting) -> None:
    go(page, "Providers")
    page.get_by_role("link", name="Add a key for Black Forest Labs").click()
    send(page, "Save and test", API_key="a-key-that-is-not-known")
    expect(page.get_by_role("dialog").get_by_text("does not accept this key")).to_be_visible()
    for label, key in (("Black Forest Labs", setting.bfl.key), ("fal", setting.fal.key)):
        page.goto(f"{setting.portal.url}/operator/providers/")
        page.get_by_role("link", name=f"Add a key for {label}").click()
        send(page, "Save and test", API_key=key)
        says(page, f"Key for {label} saved. It works.")
    page.get_by_role("button", name="Test the key for fal").click()
    says(page, "fal: The key works.")


def a_failing_provider_is_switched_off(page: Page, mei: Page, setting: Setting) -> None:
    setting.bfl.script.always[Step.POLL] = Fault.FAILED
    mei.goto(f"{setting.portal.url}/w/harbour-press/")
    mei.get_by_role("button", name="Coffee").click()
    expect(mei.get_by_text("Editing the original")).to_be_visible()
    mei.get_by_label("What should change?").fill("make it warmer")
    mei.get_by_role("button", name=re.compile("^Run")).click()
    expect(mei.get_by_role("alert").first).to_be_visible()

    go(page, "Overview")
    failing = page.get_by_role("listitem").filter(has_text="Black Forest Labs")
    expect(failing).to_contain_text("Failing")
    go(page, "Edits")
    page.get_by_text("Black Forest Labs").first.click()
    expect(page.get_by_text("Harbour Press")).to_be_visible()
    go(page, "Providers")
    page.get_by_role("link", name="Switch off Black Forest Labs", exact=True).click()
    send(page, "Switch off", Reason="Its tasks fail since nine")
    says(page, "Black Forest Labs is switched off.")
    expect(page.get_by_text("All its routes are switched off: Its tasks fail since nine")).to_be_visible()

    mei.get_by_label("What should change?").fill("make it colder")
    mei.get_by_role("button", name=re.compile("^Run")).click()
    expect(mei.get_by_role("radio", name="Compare")).to_be_attached()
    assert len(setting.fal.tasks) == 1


def the_workspace_is_suspended_and_resumed(page: Page, mei: Page) -> None:
    go(page, "Workspaces")
    page.get_by_role("link", name="Harbour Press", exact=True).click()
    page.get_by_role("link", name="Suspend").click()
    send(page, "Suspend", Reason="The invoice is open")
    says(page, "Harbour Press is suspended.")
    expect(page.get_by_text(re.compile("^Suspended .*: The invoice is open$"))).to_be_visible()
    mei.reload()
    expect(mei.get_by_text("This workspace is suspended: The invoice is open.")).to_be_visible()
    expect(mei.get_by_role("button", name=re.compile("^Run"))).to_have_count(0)
    page.get_by_role("link", name="Resume").click()
    send(page, "Resume", Reason="It is paid")
    says(page, "Harbour Press is resumed.")
    mei.reload()
    expect(mei.get_by_role("button", name=re.compile("^Run"))).to_be_visible()


def a_lost_factor_is_reset(page: Page, setting: Setting) -> None:
    setting.portal.manage("shell", "--no-imports", "-c", FACTOR)
    go(page, "People")
    page.get_by_role("searchbox", name="Find a person").press_sequentially("mei@")
    row = page.get_by_role("row", name=re.compile("Mei Tanaka"))
    expect(row).to_contain_text("Set up")
    expect(page.get_by_role("row", name=re.compile(OPERATOR))).to_have_count(0)
    page.get_by_role("button", name="More for Mei Tanaka").click()
    page.get_by_role("button", name="Reset second factor").click()
    send(page, "Reset")
    says(page, f"The second factor of {OWNER} is reset.")
    expect(row).to_contain_text("None")


# What the operator did on this day, in its order: the workspace, and the sentence with its details. {bfl} and
# {fal}: the last four characters of their keys.
ACTS = [
    ("Harbour Press", "Created workspace “Harbour Press”"),
    (
        "–",
        "Created plan “Agency” name Agency, seats none, own keys yes, unspent monthly credits: they expire, "
        "default plan no, storage bytes 10,737,418,240, credits that stay 0, concurrent jobs 100, "
        "monthly credits 2,000, requests per minute 60",
    ),
    (
        "–",
        "Changed plan “Agency”: unspent monthly credits: they expire → up to a number of them stay, "
        "credits that stay 0 → 500",
    ),
    ("Harbour Press", "Changed the plan of workspace “Harbour Press”: plan Standard → Agency"),
    ("Harbour Press", "Granted 1,000 credits: Invoice 2026-0412 paid balance 2,000 → 3,000"),
    ("Harbour Press", "Adjusted the balance by -100 credits: It was for 900 balance 3,000 → 2,900"),
    ("–", "Saved provider key bfl ··· {bfl} last four characters none → {bfl}"),
    ("–", "Saved provider key fal ··· {fal} last four characters none → {fal}"),
    ("–", "Tested provider key fal ··· {fal}"),
    (
        "–",
        "Switched off the portal's route Black Forest Labs: Its tasks fail since nine enabled yes → no",
    ),
    ("Harbour Press", "Suspended workspace “Harbour Press”: The invoice is open suspended no → yes"),
    ("Harbour Press", "Resumed workspace “Harbour Press”: It is paid suspended yes → no"),
    ("Harbour Press", f"Ended sessions of {OWNER}"),
    ("–", f"Reset the second factor of {OWNER}"),
]
CELLS = """rows => rows.map(row => [...row.cells].map(cell => cell.innerText.replace(/\\s+/g, " ").trim()))"""


def every_act_is_in_the_audit_log(page: Page, setting: Setting) -> None:
    go(page, "Audit log")
    page.get_by_label("Person").fill(OPERATOR)
    page.get_by_role("button", name="Filter").click()
    page.wait_for_url("**by=ada**")
    rows = page.locator("table.audit tbody tr").evaluate_all(CELLS)
    acts = [(workspace, action) for _, workspace, who, action, _ in rows if who.endswith("(operator)")]
    made = acts.index(ACTS[0])  # before this day, the portal was set up
    keys = {"bfl": setting.bfl.key[-4:], "fal": setting.fal.key[-4:]}
    assert acts[made::-1] == [(workspace, sentence.format(**keys)) for workspace, sentence in ACTS]


def the_owner_cannot_reach_any_of_it(mei: Page, setting: Setting) -> None:
    mei.context.clear_cookies()  # the reset ended the session
    sign_in(mei, setting.portal, OWNER)
    mei.get_by_role("button", name="your account").click()
    expect(mei.get_by_role("link", name="Account", exact=True)).to_be_visible()
    expect(mei.get_by_role("link", name="Operator")).to_have_count(0)
    for path in PAGES:
        response = mei.goto(f"{setting.portal.url}/operator/{path}")
        assert response
        assert response.status == 404


@pytest.fixture(scope="module")
def busy(portals: Path) -> Iterator[Portal]:
    """A portal with a day of edits and several workspaces."""
    folder = portals / "operator_pages"
    folder.mkdir()
    portal = Portal(folder)
    portal.start()
    portal.bootstrap(email=OPERATOR, workspace="Acme Studio", credits=1864)
    portal.manage("shell", "--no-imports", "-c", DAY)
    yield portal
    portal.remove()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_pages_have_no_layout_or_accessibility_problems(
    busy: Portal, new_context: ContextMaker, size: dict[str, Any], theme: str
) -> None:
    page = new_context(**size, color_scheme=theme)
    sign_in(page, busy, OPERATOR)
    for path in PAGES:
        page.goto(f"{busy.url}/operator/{path}")
        assert_in_order(page, f"operator/{path}")
        picture(page, f"{path.strip('/') or 'overview'}-{'p' if size is PHONE else 'd'}-{theme}")
    page.goto(f"{busy.url}/operator/workspaces/?q=harbour")
    page.get_by_role("link", name="Give credits to Harbour Press").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert_in_order(page, "give credits")
    picture(page, f"give-{'p' if size is PHONE else 'd'}-{theme}")
    page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
    page.get_by_role("link", name="Harbour Press", exact=True).click()
    assert_in_order(page, "a workspace")
    picture(page, f"workspace-{'p' if size is PHONE else 'd'}-{theme}")
    page.get_by_role("link", name="Suspend").click()
    page.get_by_role("dialog").get_by_role("button", name="Suspend").click()
    expect(page.get_by_label("Reason")).to_be_focused()
    page.goto(page.url + "suspend/")
    page.get_by_role("button", name="Suspend").click()
    assert_in_order(page, "suspend, without a dialog")


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("OPERATOR_SCREENS"):
        settle(page)
        page.screenshot(path=f"{folder}/{name}.png", full_page=True)
