"""The tiers, routes and prices of the catalogue, and lookups of unknown names."""

from __future__ import annotations

import pytest

from editor.catalog import catalog, get_model, get_tier, own_key_model
from editor.errors import InvalidInput


def test_tiers_are_sorted_by_price() -> None:
    tiers = catalog().tiers.values()
    assert [(tier.id, tier.label, get_model(tier.model).credits) for tier in tiers] == [
        ("creative", "Creative", 2),
        ("standard", "Standard", 4),
        ("pro", "Pro", 8),
    ]
    assert catalog().default_tier == "standard"


def test_prices_and_times() -> None:
    listed = {
        model.id: (model.credits, model.typical_seconds, model.time_limit_seconds)
        for model in catalog().models.values()
    }
    assert listed == {
        "black-forest-labs/flux-kontext-pro": (4, 8, 300),
        "black-forest-labs/flux-kontext-max": (8, 12, 300),
        "wiro/flux_kontext_dev_with_2_image": (2, 15, 300),
        "black-forest-labs/flux-2-pro": (6, 10, 300),
        "black-forest-labs/flux-2-flex": (12, 20, 300),
        "black-forest-labs/flux-2-klein-9b": (2, 4, 300),
        "black-forest-labs/flux-kontext-dev": (3, 8, 300),
        "black-forest-labs/flux-fill": (5, 12, 300),
        "openai/gpt-image-2.6-sunburst": (16, 120, 330),
        "openai/gpt-image-2.6-flare": (5, 30, 330),
        "openai/gpt-image-1-mini": (2, 20, 330),
        "google/gemini-3-pro-image": (14, 45, 330),
        "google/gemini-nano-banana-2.1": (6, 25, 330),
        "google/gemini-3.1-flash-lite-image": (4, 10, 330),
    }


@pytest.mark.parametrize(
    ("model_id", "routes"),
    [
        (
            "black-forest-labs/flux-kontext-pro",
            [
                ("bfl", "flux-kontext-pro"),
                ("wiro", "black-forest-labs/flux-kontext-pro"),
                ("fal", "fal-ai/flux-pro/kontext"),
                ("kie", "flux-kontext-pro"),
            ],
        ),
        (
            "black-forest-labs/flux-kontext-max",
            [
                ("bfl", "flux-kontext-max"),
                ("wiro", "black-forest-labs/flux-kontext-max"),
                ("fal", "fal-ai/flux-pro/kontext/max"),
                ("kie", "flux-kontext-max"),
            ],
        ),
        ("wiro/flux_kontext_dev_with_2_image", [("wiro", "wiro/flux_kontext_dev_with_2_image")]),
        ("black-forest-labs/flux-kontext-dev", [("fal", "fal-ai/flux-kontext/dev")]),
        (
            "black-forest-labs/flux-2-pro",
            [
                ("bfl", "flux-2-pro"),
                ("wiro", "black-forest-labs/flux-2-pro"),
                ("fal", "fal-ai/flux-2-pro/edit"),
                ("kie", "flux-2/pro-image-to-image"),
            ],
        ),
        (
            "black-forest-labs/flux-2-flex",
            [
                ("bfl", "flux-2-flex"),
                ("wiro", "black-forest-labs/flux-2-flex"),
                ("kie", "flux-2/flex-image-to-image"),
            ],
        ),
        (
            "black-forest-labs/flux-2-klein-9b",
            [("bfl", "flux-2-klein-9b"), ("wiro", "black-forest-labs/FLUX.2-klein-9B")],
        ),
        ("black-forest-labs/flux-fill", [("bfl", "flux-pro-1.0-fill")]),
        ("openai/gpt-image-2.6-sunburst", [("openai", "gpt-image-2.6-sunburst")]),
        ("openai/gpt-image-2.6-flare", [("openai", "gpt-image-2.6-flare")]),
        ("openai/gpt-image-1-mini", [("openai", "gpt-image-1-mini")]),
        ("google/gemini-3-pro-image", [("google", "gemini-3-pro-image"), ("kie", "nano-banana-pro")]),
        (
            "google/gemini-nano-banana-2.1",
            [("google", "gemini-nano-banana-2.1"), ("kie", "nano-banana-2-1")],
        ),
        (
            "google/gemini-3.1-flash-lite-image",
            [("google", "gemini-3.1-flash-lite-image"), ("kie", "nano-banana-2-lite")],
        ),
    ],
)
def test_routes_have_the_providers_model_names(model_id: str, routes: list[tuple[str, str]]) -> None:
    assert [(route.provider, route.target) for route in get_model(model_id).routes] == routes


def test_only_fill_and_openai_routes_support_masks() -> None:
    masked = {route.target for model in catalog().models.values() for route in model.routes if route.mask}
    assert masked == {
        "flux-pro-1.0-fill",
        "gpt-image-2.6-sunburst",
        "gpt-image-2.6-flare",
        "gpt-image-1-mini",
    }


def test_a_route_costs_the_models_credits_unless_it_has_its_own() -> None:
    nano = get_model("google/gemini-nano-banana-2.1")
    assert [(route.provider, route.credits) for route in nano.routes] == [("google", 6), ("kie", 3)]
    others = [model for model in catalog().models.values() if model is not nano]
    assert all(route.credits == model.credits for model in others for route in model.routes)


@pytest.mark.parametrize(
    ("provider", "models"),
    [
        (
            "bfl",
            {
                "standard": "black-forest-labs/flux-kontext-pro",
                "pro": "black-forest-labs/flux-kontext-max",
            },
        ),
        (
            "wiro",
            {
                "creative": "wiro/flux_kontext_dev_with_2_image",
                "standard": "black-forest-labs/flux-kontext-pro",
                "pro": "black-forest-labs/flux-kontext-max",
            },
        ),
        ("openai", {"standard": "openai/gpt-image-2.6-flare", "pro": "openai/gpt-image-2.6-sunburst"}),
        ("google", {"pro": "google/gemini-3-pro-image"}),
        (
            "fal",
            {
                "creative": "black-forest-labs/flux-kontext-dev",
                "standard": "black-forest-labs/flux-kontext-pro",
                "pro": "black-forest-labs/flux-kontext-max",
            },
        ),
        (
            "kie",
            {
                "creative": "black-forest-labs/flux-2-pro",
                "standard": "google/gemini-nano-banana-2.1",
                "pro": "google/gemini-3-pro-image",
            },
        ),
        ("sandbox", {}),
        ("nobody", {}),
    ],
)
def test_the_model_of_each_tier_with_an_own_key(provider: str, models: dict[str, str]) -> None:
    meant = {tier.id: own_key_model(tier, provider) for tier in catalog().tiers.values()}
    assert {tier: model.id for tier, model in meant.items() if model} == models


def test_get_tier_finds_the_model_of_the_tier() -> None:
    assert get_tier("pro").model == "black-forest-labs/flux-kontext-max"


def test_the_error_of_an_unknown_model_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        get_model("acme/paint")
    assert "black-forest-labs/flux-2-pro" in caught.value.fields["model"]


def test_the_error_of_an_unknown_tier_lists_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        get_tier("ultra")
    assert "creative, standard, pro" in caught.value.fields["tier"]


def test_the_catalogue_is_read_only() -> None:
    with pytest.raises(TypeError):
        catalog().models["acme/paint"] = get_model("black-forest-labs/flux-2-pro")  # type: ignore[index]


def test_model_input_of_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_model("black-forest-labs/flux-2-pro").input("steps")
