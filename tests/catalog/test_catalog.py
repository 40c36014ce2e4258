"""The tiers, and what happens when a caller names something that is not there."""

from __future__ import annotations

import pytest

from editor.catalog import catalog, get_model, get_tier
from editor.errors import InvalidInput


def test_tiers_are_shown_from_the_cheapest_up() -> None:
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
    }


def test_every_model_can_be_run_without_a_key() -> None:
    for model in catalog().models.values():
        assert "sandbox" in [route.provider for route in model.routes]


def test_get_tier_finds_the_model_of_the_tier() -> None:
    assert get_tier("pro").model == "black-forest-labs/flux-kontext-max"


def test_an_unknown_model_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        get_model("acme/paint")
    assert "black-forest-labs/flux-2-pro" in caught.value.fields["model"]


def test_an_unknown_tier_is_told_the_known_ones() -> None:
    with pytest.raises(InvalidInput) as caught:
        get_tier("ultra")
    assert "creative, standard, pro" in caught.value.fields["tier"]


def test_the_catalogue_cannot_be_changed_by_its_users() -> None:
    with pytest.raises(TypeError):
        catalog().models["acme/paint"] = get_model("black-forest-labs/flux-2-pro")  # type: ignore[index]


def test_model_input_of_an_unknown_name_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        get_model("black-forest-labs/flux-2-pro").input("steps")
