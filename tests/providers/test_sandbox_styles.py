"""Looks described in detail, as styles do, and looks applied to a poster."""

from __future__ import annotations

import pytest

from editor.providers.sandbox import vocabulary
from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import Look
from editor.providers.sandbox.parser import Poster, parse, parse_poster


@pytest.mark.parametrize(
    "prompt",
    [
        "as a gouache painting with visible brush strokes",
        "as a gouache painting, with flat opaque colour and a light paper grain",
        "as a gouache painting, otherwise keep the subject and composition",
        "keep the framing; as a gouache painting",
        "as a gouache painting, preserving the original composition unchanged",
    ],
)
def test_a_description_of_the_look_itself_adds_nothing(prompt: str) -> None:
    assert parse(prompt, images=1) == (Look("gouache"),)


@pytest.mark.parametrize(
    ("prompt", "piece"),
    [
        ("flat opaque colour", "flat opaque colour"),
        ("as a pencil sketch with flat opaque colour", "as a pencil sketch with flat opaque colour"),
        ("visible brush strokes, as a gouache painting", "visible brush strokes"),
        ("as a gouache painting with a dog", "as a gouache painting with a dog"),
        ("black and white, keep the red car", "keep the red car"),
        ("as a gouache painting, keep the colours", "keep the colours"),
        ("keep the subject", "keep the subject"),
        ("otherwise", "otherwise"),
    ],
)
def test_a_description_beyond_the_look_is_not_understood(prompt: str, piece: str) -> None:
    with pytest.raises(Refused, match=f"“{piece}”"):
        parse(prompt, images=1)


def test_every_trait_is_understood_with_its_look() -> None:
    for name, traits in vocabulary.TRAITS.items():
        for trait in traits:
            assert parse(f"{name}, with {trait}", images=1) == (Look(name),), trait


def test_a_prompt_becomes_a_poster() -> None:
    assert parse_poster("A red fox, in the snow") == Poster("A red fox, in the snow")
    assert parse_poster("A red fox, as a gouache painting") == Poster("A red fox", (Look("gouache"),))
    assert parse_poster(
        "A fox, in snow, warm and grainy, as a gouache painting with brush strokes"
    ) == Poster("A fox, in snow", (Look("warm"), Look("grain"), Look("gouache")))
    assert parse_poster("A red fox, keep the composition") == Poster("A red fox, keep the composition")
    assert parse_poster("A red fox, tint it blue") == Poster("A red fox, tint it blue")
    assert parse_poster('a poster that says "OPEN LATE"') == Poster("OPEN LATE")
    assert parse_poster("night") == Poster("night")
