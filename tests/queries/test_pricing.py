"""Which route serves an edit: the portal's keys, the workspace's own, or the sandbox."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
from django.db import connection

from editor import catalog
from editor.engine import requests
from editor.errors import EditorError, InvalidInput, Unprocessable
from editor.models import Job, Workspace
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.queries import pricing
from tests.factories import make_actor, make_image, make_provider_key, make_workspace

pytestmark = pytest.mark.django_db

KONTEXT = "black-forest-labs/flux-kontext-pro"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.mark.parametrize("tier", ["creative", "standard", "pro"])
def test_without_any_platform_key_the_sandbox_serves_everything(workspace: Workspace, tier: str) -> None:
    offer = pricing.offer(workspace=workspace)
    assert {choice.route.provider for choice in offer.tiers.values() if choice} == {"sandbox"}
    assert {choice.route.provider for choice in offer.models.values() if choice} == {"sandbox"}
    assert all(offer.models.values())
    choice = pricing.choose(workspace=workspace, tier=tier)
    assert (choice.provider, choice.route.provider, choice.tier) == ("platform", "sandbox", tier)


def test_a_platform_key_takes_the_sandboxs_place(workspace: Workspace) -> None:
    make_provider_key(workspace=None, provider="bfl")
    choice = pricing.choose(workspace=workspace, tier="standard")
    assert (choice.model.id, choice.route.provider) == (KONTEXT, "bfl")
    assert not choice.own_key
    with pytest.raises(Unprocessable, match="No provider is set up for"):
        pricing.choose(workspace=workspace, model="openai/gpt-image-2.6-flare")


def test_a_tier_falls_back_to_a_model_with_a_configured_provider(workspace: Workspace) -> None:
    make_provider_key(workspace=None, provider="openai")
    assert pricing.choose(workspace=workspace, tier="pro").model.vendor == "OpenAI"
    assert pricing.choose(workspace=workspace).route.provider == "openai"


def test_another_workspaces_keys_serve_nobody_else(workspace: Workspace) -> None:
    make_provider_key(workspace=make_workspace(name="Other"), provider="fal")
    assert pricing.choose(workspace=workspace).route.provider == "sandbox"
    with pytest.raises(Unprocessable, match="not set up and enabled"):
        pricing.choose(workspace=workspace, tier="pro", provider="fal")


def test_an_own_key_costs_nothing_and_does_not_affect_platform_edits(workspace: Workspace) -> None:
    make_provider_key(workspace=workspace, provider="fal")
    own = pricing.choose(workspace=workspace, tier="standard", provider="fal")
    assert (own.own_key, own.provider, own.route.provider, own.credits) == (True, "fal", "fal", 0)
    assert pricing.price(choice=own, inputs={}) == 0
    assert pricing.choose(workspace=workspace, tier="standard").route.provider == "sandbox"


def test_a_quote_on_an_own_key_takes_no_credits() -> None:
    actor = make_actor(balance=0)
    make_provider_key(workspace=actor.workspace, provider="bfl")
    own = pricing.choose(workspace=actor.workspace, tier="pro", provider="bfl")
    quote = pricing.quote(actor=actor, choice=own, inputs={})
    assert (quote.credits, quote.enough) == (0, True)


# The seed's table of own keys and tiers, and the models of the other two providers.
SERVED = {
    "openai": {"pro", "standard"},
    "google": {"pro"},
    "fal": {"pro", "standard", "creative"},
    "kie": {"pro", "standard", "creative"},
    "bfl": {"pro", "standard"},
    "wiro": {"pro", "standard", "creative"},
}


@pytest.mark.parametrize("tier", ["pro", "standard", "creative"])
@pytest.mark.parametrize("provider", SERVED)
def test_own_keys_serve_the_tiers_of_the_table(workspace: Workspace, provider: str, tier: str) -> None:
    make_provider_key(workspace=workspace, provider=provider)
    if tier in SERVED[provider]:
        choice = pricing.choose(workspace=workspace, tier=tier, provider=provider)
        assert (choice.route.provider, choice.own_key, choice.tier) == (provider, True, tier)
    else:
        with pytest.raises(InvalidInput, match=f"does not offer the tier {tier}"):
            pricing.choose(workspace=workspace, tier=tier, provider=provider)


def test_a_model_that_the_provider_does_not_serve_is_invalid_input(workspace: Workspace) -> None:
    make_provider_key(workspace=workspace, provider="openai")
    with pytest.raises(InvalidInput, match="does not offer FLUX"):
        pricing.choose(workspace=workspace, model=KONTEXT, provider="openai")


@pytest.mark.parametrize(
    ("provider", "error"),
    [("nobody", InvalidInput), ("sandbox", InvalidInput), ("", InvalidInput), ("bfl", Unprocessable)],
)
def test_own_keys_are_strict(workspace: Workspace, provider: str, error: type[EditorError]) -> None:
    make_provider_key(workspace=None, provider="bfl")  # the portal's is not the workspace's
    with pytest.raises(error):
        pricing.choose(workspace=workspace, tier="pro", provider=provider)


def test_a_disabled_key_counts_as_missing(workspace: Workspace) -> None:
    make_provider_key(workspace=workspace, provider="bfl", is_enabled=False)
    with pytest.raises(Unprocessable, match="not set up and enabled"):
        pricing.choose(workspace=workspace, tier="pro", provider="bfl")


def test_a_plan_without_own_keys_allows_none(workspace: Workspace) -> None:
    make_provider_key(workspace=workspace, provider="bfl")
    workspace.plan.own_keys = False
    workspace.plan.save()
    with pytest.raises(Unprocessable, match="workspace's plan does not include"):
        pricing.choose(workspace=workspace, tier="pro", provider="bfl")


def test_the_price_is_that_of_the_route(workspace: Workspace) -> None:
    make_provider_key(workspace=None, provider="bfl")
    choice = pricing.choose(workspace=workspace, model=KONTEXT)
    assert choice.credits == catalog.get_model(KONTEXT).routes[0].credits


def test_the_input_that_counts_samples_comes_from_the_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = catalog.catalog()
    models = {name: replace(model, samples_input="") for name, model in entries.models.items()}
    name = "wiro/flux_kontext_dev_with_2_image"
    models[name] = replace(entries.models[name], samples_input="steps")
    monkeypatch.setattr(catalog, "catalog", lambda: replace(entries, models=models))
    actor = make_actor()
    image = make_image(actor)
    inputs = {"samples": "3", "steps": "12"}
    counted = jobs.submit(
        actor=actor, request=NewEdit(prompt="warmer", model=name, image_ids=(image.id,), inputs=inputs)
    )
    assert (counted.price, counted.samples, requests.build(counted).samples) == (24, 12, 12)
    name = "black-forest-labs/flux-kontext-dev"
    plain = jobs.submit(
        actor=actor, request=NewEdit(prompt="warmer", model=name, image_ids=(image.id,), inputs=inputs)
    )
    assert (plain.price, plain.samples, requests.build(plain).samples) == (3, 1, 1)


@pytest.mark.parametrize(("stored", "samples"), [(3, 3), ("2", 2), (1, 1), (None, 1), ("", 1), (99999, 1)])
def test_the_samples_of_earlier_jobs_are_counted_by_the_migration(stored: object, samples: int) -> None:
    migration = import_module("editor.migrations.0020_job_samples")
    job = jobs.submit(actor=make_actor(), request=NewEdit(prompt="warmer"))
    Job.objects.filter(pk=job.pk).update(inputs={"samples": stored})
    with connection.cursor() as cursor:
        cursor.execute(migration.COUNT)
    job.refresh_from_db()
    assert job.samples == samples
