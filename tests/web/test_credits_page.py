"""The page Credits & usage: tiles, chart, ledger, CSV files and the proof."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.models import CreditAccount, Job, Role, Status, User, Workspace
from editor.operations import api_keys, credits
from editor.queries import ledger, limits, proof
from tests.factories import make_actor, make_member, make_workspace
from tests.spending import end, spend, start
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db

FLUX_2 = "black-forest-labs/flux-2-pro"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(balance=100)


@pytest.fixture
def owner(workspace: Workspace) -> User:
    return workspace.members.get()


@pytest.fixture
def client(owner: User) -> Client:
    return signed_in(owner)


def page(client: Client, workspace: Workspace, **query: str) -> str:
    response = client.get(reverse("credits", args=[workspace.slug]), query)
    assert response.status_code == 200
    return body(response)


def part(client: Client, workspace: Workspace, target: str, **query: str) -> Any:
    headers = HTMX | {"HX-Target": target}
    return client.get(reverse("credits", args=[workspace.slug]), query, headers=headers)


def tile(page: str, name: str) -> str:
    """The figure and the hint of a tile, as text."""
    found = re.search(rf"<dt>{name}.*?</dt>(.*?)</div>", page, re.DOTALL)
    assert found, name
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def lines(page: str) -> list[str]:
    """The ledger's lines as text, without what is folded."""
    rows = re.findall(r'<tr id="line-\d+".*?</tr>', page, re.DOTALL)
    folded = (re.sub(r'<ul class="entries">.*?</ul>', "", row, flags=re.DOTALL) for row in rows)
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in folded]


def read_csv(response: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(response.content.decode())))


def test_the_tiles(workspace: Workspace, owner: User, client: Client, settings: Settings) -> None:
    workspace.monthly_limit = 40
    workspace.save()
    spend(workspace, owner)
    spend(workspace, make_member(workspace), price=6)
    start(workspace, owner, price=3)
    shown = page(client, workspace)
    assert tile(shown, "Balance").startswith("87")
    assert tile(shown, "Held") == "3 for 1 edit that is running"
    assert tile(shown, "Spent this month").startswith("10 of 40 On course for 10 by")
    assert "10 of 40 credits spent" in shown
    assert "Money" not in shown
    settings.CREDIT_PRICE, settings.CURRENCY = Decimal("0.04"), "EUR"
    shown = page(client, workspace)
    assert tile(shown, "Balance").startswith("87 ≈ €3.48")
    assert tile(shown, "≈ Money") == "€0.40 2 edits, €0.20 each"


def test_a_member_sees_only_their_own_figures(workspace: Workspace, owner: User) -> None:
    mei = make_member(workspace, role=Role.EDITOR, monthly_cap=50)
    spend(workspace, owner, prompt="of the owner", model=FLUX_2, price=9)
    spend(workspace, mei, prompt="by Mei")
    start(workspace, owner)
    client = signed_in(mei)
    shown = page(client, workspace)
    assert tile(shown, "Spent this month").startswith("4 of 50")
    assert tile(shown, "Held").startswith("0")
    assert [line for line in lines(shown) if "by Mei" in line] == lines(shown)
    assert 'value="member"' not in shown
    assert "Proof" not in shown
    assert owner.display_name not in shown
    [row] = read_csv(client.get(reverse("usage_csv", args=[workspace.slug]), {"by": "member"}))
    assert row["Credits"] == "4"
    assert row["Id"] == "black-forest-labs/flux-kontext-pro"
    assert page(client, workspace, person=str(owner.pk)).count("of the owner") == 0
    assert client.post(reverse("credits_proof", args=[workspace.slug])).status_code == 403


def test_an_edit_is_one_line_with_its_entries(workspace: Workspace, owner: User, client: Client) -> None:
    done = end(start(workspace, owner, prompt="paint it", samples=2, price=8), cost=4)
    end(start(workspace, owner, prompt="too dark"), Status.FAILED)
    end(start(workspace, owner, prompt="never mind"), Status.CANCELED)
    spend(workspace, owner, prompt="let it be", approved=True)
    start(workspace, owner, prompt="in a moment")
    credits.adjust(workspace=workspace, amount=-5, actor=owner, note="Counted twice")
    shown = page(client, workspace)
    for line, (what, *rest) in zip(
        lines(shown),
        [
            ("Counted twice", "Corrected", "−5"),
            ("in a moment", "Running", "4 held"),
            ("let it be", "Done, approved", "−4"),
            ("never mind", "Canceled", "0"),
            ("too dark", "Failed, returned", "0"),
            ("paint it", "Done", "−4", "96"),
            ("Grant", "Given", "+100", "100"),
        ],
        strict=True,
    ):
        assert what in line
        assert all(text in line for text in rest), (line, rest)
    assert "4 credits instead of 8: not all images could be used" in shown
    for entry in done.ledger_entries.all():
        assert f"Entry {entry.pk} ·" in shown
    assert 'class="live"' in shown


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"model": FLUX_2}, ["blue"]),
        ({"channel": "api"}, ["green"]),
        ({"kind": "grant"}, ["Grant"]),
        ({"kind": "hold"}, ["grey", "green", "blue", "red"]),
        ({"state": "failed"}, ["grey"]),
        ({"state": "done"}, ["green", "blue", "red"]),
        ({"state": "running"}, []),
        ({"state": "given"}, ["Grant"]),
        ({"q": "blue"}, ["blue"]),
        ({"q": "purple"}, []),
        ({"person": "mei"}, ["green", "blue"]),
        ({"person": "mei", "model": FLUX_2}, ["blue"]),
        ({"key": "key"}, ["green"]),
        ({"from": "today"}, ["grey", "green", "blue", "red", "Grant"]),
        ({"until": "yesterday"}, []),
        ({"from": "tomorrow"}, []),
        ({"model": "no/such"}, []),
        ({"state": "x", "from": "2026-13-40", "kind": "settle", "key": "1", "before": "x"}, "all"),
    ],
    ids=str,
)
def test_filters_in_the_address(
    workspace: Workspace, owner: User, client: Client, query: dict[str, str], found: list[str] | str
) -> None:
    mei = make_member(workspace)
    key, _ = api_keys.create(actor=make_actor(workspace), name="n8n")
    spend(workspace, owner, prompt="red")
    spend(workspace, mei, prompt="blue", model=FLUX_2)
    spend(workspace, mei, prompt="green", channel="api", api_key=key)
    end(start(workspace, owner, prompt="grey"), Status.FAILED)
    today = timezone.now().date()
    known = {
        "mei": str(mei.pk),
        "key": str(key.pk),
        "today": today.isoformat(),
        "yesterday": (today - timedelta(days=1)).isoformat(),
        "tomorrow": (today + timedelta(days=1)).isoformat(),
    }
    given = {name: known.get(value, value) for name, value in query.items()}
    expected = ["grey", "green", "blue", "red", "Grant"] if found == "all" else found
    shown = lines(page(client, workspace, **given))
    assert len(shown) == len(expected), shown
    assert all(word in line for word, line in zip(expected, shown, strict=True))


def test_the_chart_is_swapped_and_pushes_its_url(workspace: Workspace, owner: User, client: Client) -> None:
    spend(workspace, owner)
    response = part(client, workspace, "section#usage", by="member", per="month", state="failed")
    month = limits.today(workspace)
    assert response["HX-Push-Url"].endswith("/credits/?by=member&per=month&state=failed")
    text = body(response)
    assert text.lstrip().startswith("<form")
    assert "Credits per month" in text
    assert f"{month:%B %Y}: 4 credits, {owner.display_name} 4" in text
    assert text.count('tabindex="0"') == 1
    assert 'scope="row"' in text


def test_the_ledger_is_swapped_and_replaces_the_url(
    workspace: Workspace, owner: User, client: Client
) -> None:
    for _ in range(ledger.PAGE):
        spend(workspace, owner, price=1)
    response = part(client, workspace, "div#ledger", state="done", by="key")
    assert response["HX-Replace-Url"].endswith("/credits/?by=key&state=done")
    assert len(lines(body(response))) == ledger.PAGE
    older = re.search(r'href="([^"]*before=\d+)"', page(client, workspace))
    assert older
    response = client.get(older[1].replace("&amp;", "&"), headers=HTMX | {"HX-Target": "div#ledger"})
    assert "before=" in response["HX-Push-Url"]
    [grant] = lines(body(response))
    assert "Given" in grant
    assert "Newest" in body(response)


def test_what_changes_by_itself_is_as_it_is_filtered(
    workspace: Workspace, owner: User, client: Client
) -> None:
    job = start(workspace, owner, prompt="in a moment")
    url = reverse("credits_live", args=[workspace.slug])
    assert "Running" in body(client.get(url, {"kind": "hold"}, headers=HTMX))
    end(job)
    [line] = lines(body(client.get(url, {"kind": "hold"}, headers=HTMX)))
    assert "Done" in line


def test_an_empty_month_and_an_empty_ledger() -> None:
    workspace = make_workspace(balance=0)
    shown = page(signed_in(workspace.members.get()), workspace)
    assert f"Nothing was spent in {limits.today(workspace):%B}" in shown
    assert "No credits have been given or spent yet" in shown


def test_the_charts_csv_file_has_all_groups(workspace: Workspace, client: Client) -> None:
    people = [make_member(workspace) for _ in range(6)]
    for person in people:
        spend(workspace, person)
    shown = page(client, workspace, by="member")
    assert "Three others" in shown
    response = client.get(reverse("usage_csv", args=[workspace.slug]), {"by": "member"})
    assert {row["Member"] for row in read_csv(response)} == {person.display_name for person in people}


def test_a_proof_is_kept_and_shown(workspace: Workspace, owner: User, client: Client) -> None:
    spend(workspace, owner)
    assert "Check now" in page(client, workspace)
    url = reverse("credits_proof", args=[workspace.slug])
    shown = body(client.post(url, headers=HTMX))
    assert "Continue" in shown  # all entries were added up; the rest is a step of its own
    while token := re.search(r'name="token"\s+value="([^"]+)"', shown):
        shown = body(client.post(url, {"token": token[1]}, headers=HTMX))
    assert "Recomputed from <b>3</b> entries: matches" in shown
    assert "Check again" in page(client, workspace)
    CreditAccount.objects.filter(pk=workspace.pk).update(balance=F("balance") + 1)
    client.post(url, {"token": _token(client, url)}, headers=HTMX)
    assert "The ledger does not match." in page(client, workspace)


def _token(client: Client, url: str) -> str:
    found = re.search(r'name="token"\s+value="([^"]+)"', body(client.post(url, headers=HTMX)))
    assert found
    return found[1]


def test_a_proof_takes_a_step_for_some_entries(
    workspace: Workspace, owner: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.web.views.credits.proofs.step", partial(proof.step, size=2))
    spend(workspace, owner)
    url = reverse("credits_proof", args=[workspace.slug])
    shown = body(client.post(url))  # without script
    assert "2 of 3 entries" in shown
    assert '<progress max="3" value="2"' in shown


def test_a_proof_of_another_workspace_is_not_continued(workspace: Workspace, client: Client) -> None:
    other = make_workspace(name="Rivals")
    theirs = signed_in(other.members.get())
    token = _token(theirs, reverse("credits_proof", args=[other.slug]))
    for wrong in (token, token[:-1], "x"):
        url = reverse("credits_proof", args=[workspace.slug])
        assert "1 of 1 entries" in body(client.post(url, {"token": wrong}, headers=HTMX))


def test_the_page_of_an_edit_says_what_it_cost_and_why(
    workspace: Workspace, owner: User, client: Client
) -> None:
    def shown(job: Job) -> str:
        text = re.sub(
            r"<[^>]+>", " ", body(client.get(reverse("gallery_edit", args=[workspace.slug, job.pk])))
        )
        return " ".join(text.split())

    done = end(start(workspace, owner, price=8, reduced_price=5), cost=5)
    entries = list(done.ledger_entries.order_by("id"))
    text = shown(done)
    assert "Quoted 8 credits" in text
    assert f"Held −8 Entry {entries[0].pk}" in text
    assert f"Charged +3 Entry {entries[1].pk}" in text
    assert "5 credits instead of 8: a provider that costs 5 credits took over" in text
    failed = end(start(workspace, owner), Status.FAILED)
    assert "All of it was returned: it has no result" in shown(failed)
    assert "No credits: it runs on the workspace&#x27;s own key" in shown(
        spend(workspace, owner, price=0, own_key=True)
    )


def test_managers_switch_the_monthly_report(workspace: Workspace, client: Client) -> None:
    url = reverse("credits_report", args=[workspace.slug])
    assert client.post(url, {}).status_code == 302
    workspace.refresh_from_db()
    assert workspace.usage_mail is False
    client.post(url, {"send": "on"})
    workspace.refresh_from_db()
    assert workspace.usage_mail is True


def test_the_navigation_leads_here_by_the_balance(workspace: Workspace, client: Client) -> None:
    shown = page(client, workspace)
    main = re.search(r'<nav class="topnav".*?</nav>', shown, re.DOTALL)
    assert main
    assert "Credits" not in main[0]
    assert f'<a class="pill" href="{reverse("credits", args=[workspace.slug])}"' in shown
