"""The ledger in plain words: each kind of line, its filter and file, and what an edit's page says."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.models import Approval, Channel, CreditAccount, Job, LedgerEntry, Status, Workspace
from editor.operations import approvals, jobs, quotes
from editor.operations.jobs import NewEdit
from editor.queries import limits, pricing, proof
from editor.queries.pricing import Choice
from tests.approvals import PRICE, Team, ask, make_team
from tests.factories import make_workspace
from tests.spending import end, move_credits, spend, start
from tests.web.requests import body, signed_in
from tests.web.test_credits_page import lines, tile
from tests.web.test_ledger_csv import download, read


def fill(workspace: Workspace, other: Workspace) -> None:
    """A line of each kind, then an edit."""
    move_credits(workspace, other)
    spend(workspace, workspace.members.get(), prompt="paint it")


@pytest.fixture
def owner_of_two(db: None) -> tuple[Workspace, Workspace]:
    workspace = make_workspace(name="Acme Studio", balance=100)
    return workspace, make_workspace(name="Acme Print", owner=workspace.members.get(), balance=0)


def page(workspace: Workspace, **query: str) -> str:
    client = signed_in(workspace.members.order_by("date_joined")[0])
    return body(client.get(reverse("credits", args=[workspace.slug]), query))


def test_each_kind_of_line_in_plain_words(owner_of_two: tuple[Workspace, Workspace]) -> None:
    workspace, other = owner_of_two
    fill(workspace, other)
    shown = page(workspace)
    for line, texts in zip(
        lines(shown),
        [
            ("paint it", "Done", "−4"),
            ("Transferred from Acme Print", "Transferred", "+2"),
            ("Transferred to Acme Print", "Autumn catalogue", "Transferred", "−11"),
            ("Monthly credits", "Portal", "November 2026", "Given", "+30"),
            ("Unspent monthly credits", "Before November 2026", "Expired", "−7"),
            ("Counted twice", "Corrected", "−5"),
            ("Welcome", "Granted", "Given", "+50"),
            ("Granted", "Given", "+100"),
        ],
        strict=True,
    ):
        assert all(text in line for text in texts), (line, texts)
    for why in (
        "Transferred to Acme Print: Autumn catalogue",
        "The plan's credits for November 2026",
        "The plan did not keep them when November 2026 began",
        "An operator corrected the balance: Counted twice",
        "An operator gave credits: Welcome",
    ):
        assert why in html.unescape(shown), why


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"kind": "grant"}, 2),
        ({"kind": "adjust"}, 1),
        ({"kind": "allowance"}, 1),
        ({"kind": "expire"}, 1),
        ({"kind": "transfer"}, 2),
        ({"kind": "hold"}, 1),
        ({"state": "given"}, 3),
        ({"state": "corrected"}, 1),
        ({"state": "expired"}, 1),
        ({"state": "transferred"}, 2),
        ({"state": "done"}, 1),
    ],
    ids=str,
)
def test_each_is_offered_by_the_filter(
    owner_of_two: tuple[Workspace, Workspace], query: dict[str, str], count: int
) -> None:
    fill(*owner_of_two)
    shown = page(owner_of_two[0], **query)
    assert len(lines(shown)) == count
    [value] = query.values()
    assert re.search(rf'<option value="{value}"[^>]*\bselected', shown)


def test_only_edits_are_spent(owner_of_two: tuple[Workspace, Workspace]) -> None:
    workspace, other = owner_of_two
    fill(workspace, other)
    shown = page(workspace)
    assert tile(shown, "Spent this month").startswith("4 On course for 4 by")
    assert f"{limits.today(workspace):%a} {limits.today(workspace).day} " in shown
    assert re.findall(r'aria-label="[^"]*: (\d+) credits, ', shown) == ["4"]
    *_, last = proof.run(workspace)
    assert last.problem == ""


def test_a_transfer_of_a_workspace_that_was_purged(owner_of_two: tuple[Workspace, Workspace]) -> None:
    workspace, _ = owner_of_two
    LedgerEntry.objects.create(
        account_id=workspace.pk,
        kind=LedgerEntry.Kind.TRANSFER,
        amount=-11,
        balance_after=89,
        held_after=0,
        counterpart_id=uuid4(),
    )
    assert "Transferred to a deleted workspace" in page(workspace)


@pytest.mark.usefixtures("committed")
async def test_the_file_has_each_kind_and_adds_up() -> None:
    workspace = await in_thread(make_workspace, name="Acme Studio", balance=100)
    owner = await in_thread(workspace.members.get)
    other = await in_thread(make_workspace, name="Acme Print", owner=owner, balance=0)
    await in_thread(fill, workspace, other)
    rows = await read(await download(owner, workspace))
    assert [row["Kind"] for row in rows] == [
        "Held",
        "Charged",
        "Transferred",
        "Transferred",
        "Monthly credits",
        "Expired",
        "Corrected",
        "Granted",
        "Granted",
    ]
    assert [row["Why"] for row in rows[2:4]] == [
        "Transferred from Acme Print",
        "Transferred to Acme Print: Autumn catalogue",
    ]
    account = await in_thread(CreditAccount.objects.get, pk=workspace.pk)
    assert sum(int(row["Credits"]) for row in rows) == account.balance


# --- The page of an edit --------------------------------------------------------------------


def edit_page(client: Client, job: Job) -> str:
    response = client.get(reverse("gallery_edit", args=[job.workspace.slug, job.pk]), follow=True)
    text = html.unescape(re.sub(r"<[^>]+>", " ", body(response)))
    return " ".join(text.split())


@pytest.fixture
def team(db: None) -> Team:
    return make_team()


def test_an_approved_edit_says_who_approved_it(team: Team) -> None:
    job = ask(team.editor)
    client = signed_in(team.editor.user)
    assert "Not held Nothing is held while it waits for an approval" in edit_page(client, job)
    approvals.approve(actor=team.admin, job=job, price=PRICE, raise_cap=True)
    job.refresh_from_db()
    end(job)
    by = team.admin.user.display_name
    [hold, settle] = job.ledger_entries.order_by("id")
    shown = edit_page(client, job)
    assert f"Held −4 Entry {hold.pk}" in shown
    assert f"4 credits set aside when {by} approved the edit and raised the cap by 4" in shown
    assert f"Charged 0 Entry {settle.pk}" in shown
    assert "Not held" not in shown
    ledger = page(team.workspace)
    assert "Done, approved" in ledger
    assert f"set aside when {by} approved the edit" in ledger


def test_an_edit_that_was_not_approved_says_why_nothing_was_held(team: Team) -> None:
    declined, lapsed, withdrawn = (ask(team.editor) for _ in range(3))
    approvals.decline(actor=team.admin, job=declined, reason="Use the cheaper model")
    Approval.objects.filter(job=lapsed).update(expires_at=Job.objects.get(pk=lapsed.pk).created_at)
    approvals.lapse()
    jobs.cancel(actor=team.editor, job=withdrawn)
    client = signed_in(team.editor.user)
    by = team.admin.user.display_name
    for job, why in (
        (declined, f"{by} declined it"),
        (lapsed, "nobody answered in time"),
        (withdrawn, "it was withdrawn"),
    ):
        shown = edit_page(client, job)
        assert f"Not held Nothing was held: {why}" in shown
        assert "Entry" not in shown


def test_a_route_that_costs_less_or_the_same_after_failover(team: Team) -> None:
    owner = team.owner.user
    client = signed_in(owner)
    cheaper = end(start(team.workspace, owner, price=8, samples=2, reduced_price=6), cost=3)
    assert (
        "3 credits instead of 8: a provider that costs 6 credits took over and not all images could be used"
        in edit_page(client, cheaper)
    )
    same = end(start(team.workspace, owner, price=8, samples=2, reduced_price=8), cost=4)
    assert "4 credits instead of 8: not all images could be used" in edit_page(client, same)
    failed = end(start(team.workspace, owner, price=8, reduced_price=6), Status.FAILED)
    assert "Returned +8" in edit_page(client, failed)


def test_a_quote_that_was_honoured(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    actor: Actor = replace(team.owner, channel=Channel.API)
    choice = pricing.choose(workspace=actor.workspace, tier="standard")
    quote = quotes.create(actor=actor, choice=choice, inputs={})
    request = NewEdit(prompt="a harbour", tier="standard", quote_id=quote.pk)
    as_shown = jobs.submit(actor=actor, request=request)
    monkeypatch.setattr(Choice, "credits", property(lambda choice: 9))
    honoured = jobs.submit(actor=actor, request=request)
    client = signed_in(actor.user)
    why = "4 credits set aside when the edit started. The quote was honoured: the price is 9 by now"
    assert why in edit_page(client, honoured)
    assert why in page(team.workspace)
    assert "honoured" not in edit_page(client, as_shown)
