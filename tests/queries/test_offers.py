"""What operators decide about models, prices and routes holds for pages, APIs and edits."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from editor import catalog
from editor.access.actor import Actor
from editor.engine import failover
from editor.errors import Unprocessable
from editor.models import ModelSetting, RouteSetting, Workspace
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers.base import ErrorKind, ProviderError
from editor.queries import pricing
from tests.factories import make_actor, make_provider_key, make_workspace
from tests.web.rows import add_job

pytestmark = pytest.mark.django_db

KONTEXT = "black-forest-labs/flux-kontext-pro"


@pytest.fixture
def actor() -> Actor:
    return make_actor(balance=1_000)


def today(*, plus: int = 0) -> date:
    return timezone.now().date() + timedelta(days=plus)


def price(workspace: Workspace, model: str = KONTEXT) -> int:
    return pricing.choose(workspace=workspace, model=model).credits


def submit(actor: Actor, **fields: object) -> object:
    return jobs.submit(actor=actor, request=NewEdit(prompt="a harbour", model=KONTEXT, **fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("days", [-1, 0])
def test_a_model_that_is_off_or_retired_cannot_be_used(actor: Actor, days: int) -> None:
    setting = ModelSetting.objects.create(model=KONTEXT, enabled=False)
    for change in ({"enabled": False}, {"enabled": True, "retires_on": today(plus=days)}):
        ModelSetting.objects.filter(pk=setting.pk).update(**change)
        offer = pricing.offer(workspace=actor.workspace)
        assert offer.models[KONTEXT] is None
        assert KONTEXT in offer.off
        with pytest.raises(Unprocessable, match="is not offered any more"):
            submit(actor)


def test_a_model_that_retires_later_can_be_used_and_says_when(actor: Actor) -> None:
    ModelSetting.objects.create(model=KONTEXT, retires_on=today(plus=1))
    choice = pricing.choose(workspace=actor.workspace, model=KONTEXT)
    assert choice.retires_on == today(plus=1)


def test_a_model_that_is_off_is_off_for_own_keys_too(actor: Actor) -> None:
    make_provider_key(workspace=actor.workspace, provider="bfl")
    ModelSetting.objects.create(model=KONTEXT, enabled=False)
    assert pricing.offer(workspace=actor.workspace, provider="bfl").models[KONTEXT] is None


def test_a_tier_takes_another_model_while_its_own_is_off(actor: Actor) -> None:
    make_provider_key(workspace=None, provider="openai")
    make_provider_key(workspace=None, provider="bfl")
    usual = pricing.choose(workspace=actor.workspace, tier="pro").model
    ModelSetting.objects.create(model=usual.id, enabled=False)
    other = pricing.choose(workspace=actor.workspace, tier="pro")
    assert other.model.id != usual.id
    assert other.tier == "pro"


def test_a_price_holds_for_all_workspaces_and_one_of_its_own_for_that_one(actor: Actor) -> None:
    other = make_workspace(name="Other")
    ModelSetting.objects.create(model=KONTEXT, credits=9)
    ModelSetting.objects.create(model=KONTEXT, workspace=actor.workspace, credits=2)
    assert (price(other), price(actor.workspace)) == (9, 2)
    ModelSetting.objects.filter(workspace=None).delete()
    assert (price(other), price(actor.workspace)) == (catalog.get_model(KONTEXT).credits, 2)
    job = jobs.submit(actor=actor, request=NewEdit(prompt="a harbour", model=KONTEXT))
    assert job.price == 2


def test_a_price_is_that_of_every_route(actor: Actor) -> None:
    model = catalog.get_model(KONTEXT)
    ModelSetting.objects.create(model=KONTEXT, credits=3)
    for provider in model.providers:
        key = make_provider_key(workspace=None, provider=provider)
        assert price(actor.workspace) == 3
        key.delete()
    assert price(actor.workspace) == 3  # the sandbox


@pytest.mark.parametrize("route_off", ["", KONTEXT])
def test_a_route_that_is_off_is_not_taken(actor: Actor, route_off: str) -> None:
    make_provider_key(workspace=None, provider="bfl")
    make_provider_key(workspace=None, provider="fal")
    assert pricing.choose(workspace=actor.workspace, model=KONTEXT).route.provider == "bfl"
    RouteSetting.objects.create(provider="bfl", model=route_off)
    assert pricing.choose(workspace=actor.workspace, model=KONTEXT).route.provider == "fal"


def test_a_portal_whose_routes_are_off_does_not_fall_back_to_the_sandbox(actor: Actor) -> None:
    make_provider_key(workspace=None, provider="bfl")
    RouteSetting.objects.create(provider="bfl")
    with pytest.raises(Unprocessable, match="No provider is set up"):
        submit(actor)


def test_own_keys_do_not_care_about_the_portals_routes(actor: Actor) -> None:
    make_provider_key(workspace=actor.workspace, provider="bfl")
    RouteSetting.objects.create(provider="bfl")
    choice = pricing.choose(workspace=actor.workspace, model=KONTEXT, provider="bfl")
    assert choice.route.provider == "bfl"


def test_failover_skips_routes_that_are_off(actor: Actor) -> None:
    for provider in ("bfl", "fal", "wiro"):
        make_provider_key(workspace=None, provider=provider)
    job = add_job(actor.workspace, provider="bfl", price=100)
    before = {route.provider for route in failover.routes_left(job=job)}
    assert before == {"fal", "wiro"}
    RouteSetting.objects.create(provider="fal", model=KONTEXT)
    assert {route.provider for route in failover.routes_left(job=job)} == {"wiro"}


@pytest.mark.parametrize(("now", "charged"), [(3, 3), (9, 4), (2, 2)])
def test_failover_never_charges_more_than_a_price_that_an_operator_set(
    actor: Actor, now: int, charged: int
) -> None:
    """`now`: the price when the next route takes over; the job holds 4."""
    for provider in ("bfl", "fal"):
        make_provider_key(workspace=None, provider=provider)
    job = add_job(actor.workspace, provider="bfl", price=4)
    ModelSetting.objects.create(model=KONTEXT, credits=now)
    assert failover.go_on(job=job, error=ProviderError(ErrorKind.UNAVAILABLE, "It is down."))
    job.refresh_from_db()
    assert (job.provider, job.price, job.reduced_price) == ("fal", 4, charged)


def test_the_offer_takes_as_many_queries_for_many_decisions_as_for_none(actor: Actor) -> None:
    def read() -> int:
        with CaptureQueriesContext(connection) as queries:
            pricing.offer(workspace=actor.workspace)
        return len(queries)

    few = read()
    for model in catalog.catalog().models:
        ModelSetting.objects.create(model=model, credits=7)
        ModelSetting.objects.create(model=model, workspace=actor.workspace, credits=6)
        RouteSetting.objects.create(provider="fal", model=model)
    assert read() == few == 3
