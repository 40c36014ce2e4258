"""Limits on pages: budgets, caps of members and keys, model rules, and what the Studio shows of them."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.access.actor import Actor
from editor.models import ApiKey, Job, Membership, Quote, Role, UsageRule, Workspace
from editor.operations import api_keys
from editor.queries.pricing import Choice
from tests.factories import make_actor, make_member
from tests.web.requests import HTMX, body, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor(name="Acme")


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


def url(owner: Actor, name: str, *parts: Any) -> str:
    return reverse(name, args=[owner.workspace.slug, *parts])


LIMITS = {"monthly_limit": "2000", "daily_limit": "", "approval_threshold": "0", "time_zone": "Europe/Berlin"}


def test_the_card_limits_saves_and_shows_the_budget(owner: Actor, client: Client) -> None:
    page = body(client.post(url(owner, "general_limits"), LIMITS, follow=True))
    assert "Saved." in page
    card = page.partition('id="limits-title"')[2]
    assert 'value="2000"' in card
    assert 'name="approval_threshold" type="number" autocomplete="off" value="0"' in " ".join(card.split())
    assert '<option value="Europe/Berlin" selected>Berlin</option>' in card
    row = Workspace.objects.get()
    assert (row.monthly_limit, row.daily_limit, row.approval_threshold) == (2000, None, 0)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("monthly_limit", "-1", "whole number of credits"),
        ("daily_limit", "many", "Enter a whole number"),
        ("approval_threshold", "-1", "whole number of credits"),
        ("approval_threshold", "4.5", "Enter a whole number"),
        ("time_zone", "Mars/Olympus", "Choose a time zone"),
    ],
)
def test_an_impossible_limit_is_explained_at_its_field(
    owner: Actor, client: Client, field: str, value: str, problem: str
) -> None:
    answer = client.post(url(owner, "general_limits"), {**LIMITS, field: value})
    assert answer.status_code == 400
    assert problem in body(answer).partition(f'id="id_{field}-notes"')[2].partition("</div>")[0]


def test_the_popover_of_a_member_has_both_caps(owner: Actor, client: Client) -> None:
    mei = make_member(owner.workspace)
    change = url(owner, "member_change", mei.pk)
    answer = client.post(change, {"monthly_cap": "300", "daily_cap": "50"}, headers=HTMX)
    assert f"Cap of {mei.display_name} saved." in body(answer)
    assert "At most 50 a day" in body(answer)
    row = Membership.objects.get(user=mei)
    assert (row.monthly_cap, row.daily_cap) == (300, 50)
    refused = client.post(change, {"monthly_cap": "300", "daily_cap": "x"}, headers=HTMX)
    assert (refused.status_code, "whole number of credits" in body(refused)) == (400, True)


def test_caps_of_a_new_key_and_of_one_that_exists(owner: Actor, client: Client) -> None:
    form = {"key_id": str(uuid4()), "name": "script", "scopes": ["image_editor"], "belongs_to": "you"}
    made = client.post(url(owner, "api_keys"), {**form, "monthly_cap": "100", "daily_cap": "20"})
    assert "100 credits a month" in body(client.get(url(owner, "api_keys")))
    assert made.status_code == 200
    key = ApiKey.objects.get()
    assert (key.monthly_cap, key.daily_cap) == (100, 20)
    answer = client.post(
        url(owner, "api_key_caps", key.pk), {"monthly_cap": "", "daily_cap": "0"}, headers=HTMX
    )
    assert "Caps of key “" in body(answer)
    assert "0 credits a day" in body(answer)
    refused = client.post(url(owner, "api_key_caps", key.pk), {"daily_cap": "x"}, headers=HTMX)
    assert (refused.status_code, "whole number of credits" in body(refused)) == (400, True)


def test_an_editor_cannot_change_the_caps_of_others_keys(owner: Actor) -> None:
    key, _ = api_keys.create(actor=owner, name="script")
    editor = signed_in(make_member(owner.workspace))
    assert editor.post(url(owner, "api_key_caps", key.pk), {"daily_cap": "1"}).status_code == 403


def test_the_page_of_model_rules_saves_the_rule_of_a_role(owner: Actor, client: Client) -> None:
    page = url(owner, "usage_rules")
    answer = client.post(f"{page}?role=editor", {"allowed_tiers": ["creative"]}, follow=True)
    assert 'value="creative" autocomplete="off" checked' in " ".join(body(answer).split())
    assert "Limited" in body(answer)
    row = UsageRule.objects.get()
    assert (row.role, row.allowed_tiers, row.allowed_models) == ("editor", ["creative"], [])
    assert "checked" not in body(client.get(page)).partition("<form")[2].partition("</form>")[0]
    assert client.get(f"{page}?role=king").status_code == 200
    assert client.post(page, {"allowed_models": ["gone"]}).status_code == 400


def test_the_studio_disables_what_is_not_allowed_and_says_why(owner: Actor, client: Client) -> None:
    UsageRule.objects.create(workspace=owner.workspace, allowed_tiers=["creative"])
    page = " ".join(body(client.get(url(owner, "studio"))).split())
    assert "Not allowed" in page
    assert "The rules of this workspace do not allow you Pro." in page
    flex = page.partition('value="black-forest-labs/flux-2-flex"')[2].partition("</label>")[0]
    assert "disabled" in flex.partition(">")[0]
    assert "do not allow you FLUX.2" in flex
    fragment = client.post(url(owner, "quote"), {"tier": "pro"}, headers=HTMX)
    assert "do not allow you Pro" in body(fragment)


def test_a_suspended_workspace_has_no_composer(owner: Actor, client: Client) -> None:
    Workspace.objects.update(suspended_at=timezone.now(), suspended_reason="The invoice is open")
    page = body(client.get(url(owner, "studio")))
    assert "This workspace is suspended: The invoice is open." in page
    assert 'id="run"' not in page
    assert client.post(url(owner, "run"), {"prompt": "a harbour"}).status_code == 403


def test_the_composer_sends_the_quote_of_the_price_that_it_shows(
    owner: Actor, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = body(client.get(url(owner, "studio")))
    quote = Quote.objects.get()
    assert f'name="quote" value="{quote.pk}"' in page
    fragment = body(client.post(url(owner, "quote"), {"tier": "pro"}, headers=HTMX))
    of_pro = Quote.objects.get(tier="pro")
    assert f'value="{of_pro.pk}"' in fragment.partition('hx-target="#quote-id"')[2]
    monkeypatch.setattr(Choice, "credits", property(lambda choice: 50))
    client.post(url(owner, "run"), {"prompt": "a harbour", "tier": "pro", "quote": str(of_pro.pk)})
    assert Job.objects.get().price == of_pro.price == 8
    Quote.objects.update(expires_at=timezone.now())
    late = {"prompt": "a harbour", "tier": "pro", "quote": str(of_pro.pk)}
    refused = client.post(url(owner, "run"), late, headers=HTMX)
    assert (refused.status_code, "needs 50 credits now" in body(refused)) == (409, True)


def test_the_composer_says_which_limit_binds_and_who_can_help(owner: Actor, client: Client) -> None:
    editor = signed_in(make_member(owner.workspace, role=Role.EDITOR, daily_cap=3))
    text = body(editor.post(url(owner, "quote"), {"tier": "standard"}, headers=HTMX))
    assert "This needs 4 credits, and 3 credits of your cap of today are left." in text
    assert re.search(f"0 of 3 · resets on .*, in .* · {owner.user.display_name} can let it run", text)
    Workspace.objects.update(daily_limit=2)
    for person, who in ((editor, f"{owner.user.display_name} can raise it"), (client, "you can change it")):
        text = body(person.post(url(owner, "quote"), {"tier": "standard"}, headers=HTMX))
        assert "2 credits of the workspace’s budget of today are left." in text
        assert (who in text, "Ask for approval" in text) == (True, False)
    refused = body(client.post(url(owner, "run"), {"prompt": "a harbour", "tier": "standard"}, headers=HTMX))
    assert "budget is 2 credits a day, and 0 are used." in refused
