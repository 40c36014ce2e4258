"""What the sandbox does not understand is refused, in the words of the person."""

from __future__ import annotations

import pytest

from editor.providers.sandbox.errors import Refused
from editor.providers.sandbox.operations import (
    Flip,
    Look,
)
from editor.providers.sandbox.parser import MOST_OPERATIONS, parse


@pytest.mark.parametrize(
    ("prompt", "piece"),
    [
        ("make the cup bright blue", "make the cup bright blue"),
        ("make the sky blue", "make the sky blue"),
        ("make it brighter and remove the background", "remove the background"),
        ("don't make it brighter", "don't make it brighter"),
        ("no vignette", "no vignette"),
        ('replace the text "A" with "B"', 'replace the text "A" with "B"'),
        ("put the person from image 2 into image 1", "put the person from image 2 into image 1"),
        ("please", "please"),
        ("", None),
    ],
)
def test_what_is_not_understood_is_quoted_and_the_prompt_is_refused(prompt: str, piece: str | None) -> None:
    if piece is None:
        assert parse(prompt, images=2) == ()
        return
    with pytest.raises(Refused) as refusal:
        parse(prompt, images=2)
    message = str(refusal.value)
    assert f"“{piece}”" in message
    assert "It can do tone" in message
    assert "BFL_API_KEY" in message


def test_text_without_quotes_is_refused_with_an_example() -> None:
    with pytest.raises(Refused, match='Put the text to write in quotes, for example: add the text "SOLD"'):
        parse("add the text SOLD at the bottom", images=1)


def test_a_missing_image_is_reported() -> None:
    with pytest.raises(Refused, match="needs 2 images, but only one image was sent"):
        parse("put image 2 onto image 1", images=1)
    with pytest.raises(Refused, match="at least two images"):
        parse("put them side by side", images=1)


@pytest.mark.parametrize(
    ("prompt", "quoted"),
    [
        ("add colour to the watercolor dog", "add colour to the watercolor dog"),
        ("warmer, Gray-green Posterize the Center cat", "Gray-green Posterize the Center cat"),
        ("a black & white dragon", "a black & white dragon"),
        ("paint the second photo's dog (blue?)", "paint the second photo's dog (blue?)"),
        ("crop the 2nd picture to 16 : 9 of a unicorn", "crop the 2nd picture to 16 : 9 of a unicorn"),
        ("scale the dog to 20 by 30", "scale the dog to 20 by 30"),
        ("warmer and carve 'SOLD' or “new” into wood", "carve 'SOLD' or “new” into wood"),
        ("give «le chat» a hat", "give «le chat» a hat"),
    ],
)
def test_a_refusal_quotes_the_prompt_as_it_was_written(prompt: str, quoted: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(prompt, images=2)
    assert f"does not understand “{quoted}”." in str(refusal.value)


@pytest.mark.parametrize(
    "prompt", ["Add the dog as if it's lying on the couch.", "put the other photo at the top"]
)
def test_a_missing_image_is_not_given_a_name_that_was_not_written(prompt: str) -> None:
    with pytest.raises(Refused) as refusal:
        parse(prompt, images=1)
    assert str(refusal.value) == "This edit needs 2 images, but only one image was sent. Add another image."


def test_a_refusal_says_which_words_a_preset_adds() -> None:
    with pytest.raises(Refused, match="“as a clay figure”, which the chosen style or character adds"):
        parse("warmer, as a clay figure", images=1, written="warmer")
    with pytest.raises(Refused, match=r"understand “a clay dragon”\."):
        parse("a clay dragon, as a pencil sketch", images=1, written="a clay  dragon.")


@pytest.mark.parametrize("prompt", ["rotate left", "crop to square", "half size", "add a white border"])
def test_a_mask_refuses_what_changes_the_whole_canvas(prompt: str) -> None:
    with pytest.raises(Refused, match="mask cannot limit"):
        parse(prompt, images=1, masked=True)
    assert parse("blur and flip", images=1, masked=True) == (Look("blur"), Flip("horizontal"))


def test_too_many_instructions_are_refused() -> None:
    with pytest.raises(Refused, match="at most 20"):
        parse("blur, " * (MOST_OPERATIONS + 1), images=1)
