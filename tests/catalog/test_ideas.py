"""The suggestion chips work in a newly installed portal, without any provider's key."""

from __future__ import annotations

import pytest

from editor.catalog import catalog
from editor.catalog.types import Idea, Model
from editor.providers.sandbox.parser import parse

IDEAS = [(model, idea) for model in catalog().models.values() for idea in model.ideas]


def test_every_model_has_ideas() -> None:
    assert {model.id for model, _ in IDEAS} == set(catalog().models)


@pytest.mark.parametrize(("model", "idea"), IDEAS, ids=[f"{model.id}-{idea.label}" for model, idea in IDEAS])
def test_the_sandbox_understands_the_idea(model: Model, idea: Idea) -> None:
    assert parse(idea.prompt, images=model.maximum_images)
