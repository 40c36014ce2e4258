"""An invalid tiers file is refused with a message that locates the mistake. One mistake per case."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.files import problems_of, replace


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            'model = "acme/paint"',
            'model = "acme/draw"',
            "tiers.toml: tiers 'creative': model: 'acme/draw' is not",
        ),
        (
            'route = "acme"',
            'route = "bfl"',
            "tiers.toml: tiers 'standard': route: 'acme/paint' has no route to",
        ),
        (
            'provider = "other", model = "acme/paint"',
            'provider = "other", model = "acme/draw"',
            "tiers.toml: tiers 'pro': own_keys: 'acme/draw' is not in the catalogue",
        ),
        (
            'provider = "other", model = "acme/paint"',
            'provider = "bfl", model = "acme/paint"',
            "tiers.toml: tiers 'pro': own_keys: 'acme/paint' has no route to the provider 'bfl'",
        ),
        (
            'provider = "other", model = "acme/paint"',
            'provider = "other"',
            "tiers.toml: tiers 'pro': own_keys 'other': model: is missing",
        ),
        (
            'provider = "other", model = "acme/paint" }',
            'provider = "other", model = "acme/paint" }, { provider = "other", model = "acme/paint" }',
            "tiers.toml: tiers 'pro': own_keys: 'other' is listed twice",
        ),
        (
            'label = "Creative", model = "acme/paint"',
            'label = "Creative", model = "acme/paint", prompt_models = ["acme/draw"]',
            "tiers.toml: tiers 'creative': prompt_models: 'acme/draw' is not in the catalogue",
        ),
        (
            'id = "pro"',
            'id = "ultra"',
            "tiers.toml: tiers 'ultra': id: must be one of creative, standard, pro",
        ),
        (
            '  { id = "pro", label = "Pro", model = "acme/paint", own_keys = [\n'
            '    { provider = "other", model = "acme/paint" },\n  ] },\n',
            "",
            "tiers.toml: tiers: 'pro' is missing",
        ),
        (
            'default = "standard"',
            'default = "best"',
            "tiers.toml: default: must be one of creative, standard",
        ),
        ('label = "Pro"', 'label = "Pro", price = 1', "tiers.toml: tiers 'pro': price: is not a key"),
        ("]\n", "", "tiers.toml: cannot be read: "),
    ],
)
def test_a_mistake_in_the_tiers_is_reported(directory: Path, old: str, new: str, problem: str) -> None:
    replace(directory / "tiers.toml", old, new)
    assert problems_of(directory)[0].startswith(problem)


def test_a_duplicate_tier_is_reported(directory: Path) -> None:
    replace(directory / "tiers.toml", 'id = "pro"', 'id = "standard"')
    assert problems_of(directory) == [
        "tiers.toml: tiers: 'standard' is listed twice",
        "tiers.toml: tiers: 'pro' is missing",
    ]


def test_a_missing_tiers_file_is_reported(directory: Path) -> None:
    (directory / "tiers.toml").unlink()
    [problem] = problems_of(directory)
    assert problem.startswith("tiers.toml: cannot be read: ")
