"""A quoted price is held, and never exceeded; wrong, foreign and expired quotes are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import InvalidInput, NotFound
from editor.models import Channel, Job, Quote
from editor.operations import jobs, quotes
from editor.operations.jobs import NewEdit
from editor.operations.quotes import QuoteExpired
from editor.queries import pricing
from editor.queries.pricing import Choice
from tests.factories import make_actor, make_member, make_provider_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return replace(make_actor(), channel=Channel.API)


def quote(actor: Actor, *, inputs: dict[str, Any] | None = None, **wanted: Any) -> Quote:
    choice = pricing.choose(workspace=actor.workspace, **(wanted or {"tier": "standard"}))
    return quotes.create(actor=actor, choice=choice, inputs=inputs or {})


def submit(actor: Actor, quote_id: Any, **wanted: Any) -> Job:
    request = NewEdit(prompt="a harbour", quote_id=quote_id, **(wanted or {"tier": "standard"}))
    return jobs.submit(actor=actor, request=request)


def prices(monkeypatch: pytest.MonkeyPatch, credits: int) -> None:
    """From now on, everything costs this much."""
    monkeypatch.setattr(Choice, "credits", property(lambda choice: credits))


def test_a_price_that_rises_is_not_held(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = quote(actor)
    prices(monkeypatch, 9)
    assert submit(actor, quoted.pk).price == quoted.price == 4
    assert submit(actor, str(quoted.pk)).price == 4  # as often as the person likes
    assert submit(actor, None).price == 9


def test_a_price_that_falls_is_held(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    quoted = quote(actor)
    prices(monkeypatch, 1)
    assert submit(actor, quoted.pk).price == 1


def test_equal_prices_share_a_quote_that_is_valid_for_long_enough(actor: Actor) -> None:
    first = quote(actor)
    assert first.expires_at - timezone.now() > timedelta(minutes=9)
    assert quote(actor) == first
    Quote.objects.update(expires_at=timezone.now() + timedelta(minutes=4))
    assert quote(actor) != first


@pytest.mark.parametrize(
    "wanted",
    [
        {"tier": "pro"},
        {"model": "black-forest-labs/flux-kontext-pro"},
        {"tier": "standard", "provider": "bfl"},
    ],
)
def test_a_quote_for_another_edit_is_refused(actor: Actor, wanted: dict[str, str]) -> None:
    make_provider_key(workspace=actor.workspace, provider="bfl")
    with pytest.raises(InvalidInput, match="This quote is for ") as caught:
        submit(actor, quote(actor).pk, **wanted)
    assert set(caught.value.fields) == {"quote_id"}
    assert not Job.objects.exists()


def test_a_quote_is_for_a_number_of_images(actor: Actor) -> None:
    model = "openai/gpt-image-1-mini"
    quoted = quote(actor, model=model, inputs={"samples": "2"})
    assert quoted.samples == 2
    with pytest.raises(InvalidInput, match="for 2 images, not for 3"):
        submit(actor, quoted.pk, model=model, inputs={"samples": "3"})
    assert submit(actor, quoted.pk, model=model, inputs={"samples": "2"}).price == quoted.price


def test_a_quote_of_a_tier_is_also_for_its_model_for_prompts_alone(actor: Actor) -> None:
    assert submit(actor, quote(actor, tier="creative").pk, tier="creative").tier == "creative"


@pytest.mark.parametrize("quote_id", ["nonsense", "3316bad9-7fd4-470d-a319-2096060eba94"])
def test_an_unknown_quote_is_not_found(actor: Actor, quote_id: str) -> None:
    with pytest.raises(NotFound, match="no such quote"):
        submit(actor, quote_id)


def test_a_quote_of_somebody_else_is_not_found(actor: Actor) -> None:
    colleague = make_actor(actor.workspace, user=make_member(actor.workspace))
    elsewhere = make_actor(make_actor(name="Other").workspace)
    for other in (colleague, elsewhere):
        with pytest.raises(NotFound, match="no such quote"):
            submit(actor, quote(other).pk)


def test_an_expired_quote_is_refused(actor: Actor) -> None:
    quoted = quote(actor)
    Quote.objects.update(expires_at=timezone.now())
    with pytest.raises(QuoteExpired, match="valid for ten minutes"):
        submit(actor, quoted.pk)
    assert not Job.objects.exists()


def test_a_page_that_was_open_for_long_pays_no_more_than_it_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    person = make_actor()
    quoted = quote(person)
    Quote.objects.update(expires_at=timezone.now())
    assert submit(person, quoted.pk).price == 4
    prices(monkeypatch, 9)
    for outdated in (quoted.pk, uuid4()):
        with pytest.raises(QuoteExpired, match="needs 9 credits now"):
            submit(person, outdated)


def test_the_options_of_a_page_may_be_ahead_of_its_price() -> None:
    person = make_actor()
    assert submit(person, quote(person).pk, tier="pro").price == 8


def test_old_quotes_are_deleted(actor: Actor) -> None:
    kept, old = quote(actor), quote(actor, tier="pro")
    Quote.objects.filter(pk=old.pk).update(expires_at=timezone.now() - quotes.KEPT - timedelta(minutes=1))
    assert quotes.forget() == 1
    assert Quote.objects.get() == kept
