"""Versions of styles and characters: each relevant change increments the version once."""

from __future__ import annotations

import pytest

from editor.models import Character, Style
from editor.operations import presets
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("changed", "version"),
    [(["prompt"], 2), (["name"], 2), (["name", "prompt", "position"], 2), (["position"], 1), ([], 1)],
)
def test_changes_of_prompt_and_name_increment_the_version(changed: list[str], version: int) -> None:
    style = Style(name="Own look", prompt="sepia")
    presets.save(preset=style, changed=["name", "prompt"])
    assert style.version == 1
    style.name, style.prompt, style.position = "Other look", "blue", 7
    presets.save(preset=style, changed=changed)
    assert style.version == version
    stored = Style.objects.get(pk=style.pk)
    assert stored.version == version
    assert (stored.name == "Other look") == ("name" in changed)


def test_concurrent_changes_both_count_and_both_stay() -> None:
    character = Character(workspace=make_workspace(), name="Ada")
    presets.save(preset=character, changed=["name"])
    here, there = (Character.objects.get(pk=character.pk) for _ in range(2))
    here.name, there.description = "Ada L.", "with a red hat"
    presets.save(preset=here, changed=["name"])
    presets.save(preset=there, changed=["description"])
    character.refresh_from_db()
    assert (character.name, character.description, character.version) == ("Ada L.", "with a red hat", 3)
