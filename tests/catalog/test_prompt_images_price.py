"""The prompt, the number of images and the price of a run."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.catalog import get_model
from editor.catalog.types import Model, Route
from editor.catalog.validation import check_images, clean_inputs, clean_prompt, route_problem
from editor.errors import InvalidInput

KONTEXT = get_model("black-forest-labs/flux-kontext-pro")
KONTEXT_DEV = get_model("wiro/flux_kontext_dev_with_2_image")
FLUX_2 = get_model("black-forest-labs/flux-2-pro")

PLAIN = Route(provider="acme", target="x", credits=7, mask=False)
MASKING = Route(provider="acme", target="x", credits=7, mask=True)

any_text = st.text() | st.text(st.characters(codec=None))


@given(any_text | st.none() | st.integers() | st.lists(st.text()))
def test_a_prompt_is_storable_text_or_refused(value: object) -> None:
    try:
        prompt = clean_prompt(KONTEXT, value)
    except InvalidInput as error:
        assert list(error.fields) == ["prompt"]
    else:
        assert 1 <= len(prompt) <= 10_000
        assert b"\0" not in prompt.encode()


@pytest.mark.parametrize("prompt", ["x", "é" * 10_000, "two\nlines"])
def test_a_prompt_of_one_to_ten_thousand_characters_is_accepted(prompt: str) -> None:
    assert clean_prompt(FLUX_2, f"  {prompt}\n") == prompt


@pytest.mark.parametrize(
    ("prompt", "reported"),
    [
        ("", "Describe what you would like to see."),
        (" \n ", "Describe what you would like to see."),
        ("x" * 10_001, "At most 10,000 characters are allowed; this text has 10,001."),
        ("a\0b", "This text contains a character that cannot be stored."),
        ("a\udfffb", "This text contains a character that cannot be stored."),
        (None, "Enter text."),
        (5, "Enter text."),
    ],
)
def test_an_invalid_prompt_is_refused(prompt: object, reported: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        clean_prompt(FLUX_2, prompt)
    assert caught.value.fields == {"prompt": reported}


@pytest.mark.parametrize(
    ("model", "count", "has_mask"),
    [
        (KONTEXT, 0, False),
        (KONTEXT, 1, True),
        (KONTEXT_DEV, 1, False),
        (KONTEXT_DEV, 2, True),
        (FLUX_2, 8, True),
    ],
)
def test_images_within_the_limits_are_accepted(model: Model, count: int, has_mask: bool) -> None:
    check_images(model, MASKING if has_mask else PLAIN, count, has_mask)


@pytest.mark.parametrize(
    ("model", "count", "has_mask", "reported"),
    [
        (KONTEXT, 2, False, {"images": "FLUX.1 Kontext [pro] takes at most one image; you sent 2."}),
        (FLUX_2, 9, True, {"images": "FLUX.2 [pro] takes at most 8 images; you sent 9."}),
        (FLUX_2, 0, True, {"mask": "A mask needs an image to apply to."}),
        (
            KONTEXT_DEV,
            0,
            True,
            {
                "images": "FLUX.1 Kontext [dev], two images needs one image to work on.",
                "mask": "A mask needs an image to apply to.",
            },
        ),
    ],
)
def test_too_few_or_too_many_images_are_refused(
    model: Model, count: int, has_mask: bool, reported: dict[str, str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_images(model, MASKING, count, has_mask)
    assert caught.value.fields == reported


def test_a_mask_is_refused_on_a_route_that_would_ignore_it() -> None:
    with pytest.raises(InvalidInput) as caught:
        check_images(FLUX_2, PLAIN, 1, True)
    assert caught.value.fields == {"mask": "FLUX.2 [pro] does not support masks."}


def test_a_fill_model_needs_a_mask() -> None:
    fill = get_model("black-forest-labs/flux-fill")
    check_images(fill, fill.routes[0], 1, True)
    with pytest.raises(InvalidInput) as caught:
        check_images(fill, fill.routes[0], 1, False)
    assert caught.value.fields == {"mask": "FLUX Fill [pro] needs a mask: paint over what should change."}


def test_the_catalogue_says_which_input_counts_samples() -> None:
    assert KONTEXT_DEV.samples(clean_inputs(KONTEXT_DEV, {"samples": "3"})) == 3
    steps = dataclasses.replace(KONTEXT_DEV, samples_input="steps")
    assert (steps.samples(clean_inputs(steps, {"steps": 9, "samples": 3})), steps.maximum_samples) == (9, 50)


def test_an_input_merely_named_samples_counts_no_samples() -> None:
    other = dataclasses.replace(KONTEXT_DEV, samples_input="")
    assert (other.samples(clean_inputs(other, {"samples": 3})), other.maximum_samples) == (1, 1)


def test_samples_are_not_counted_from_raw_input() -> None:
    with pytest.raises(TypeError):
        KONTEXT_DEV.samples({"samples": "3"})


@pytest.mark.parametrize(
    ("route", "ratio", "problem"),
    [
        ("bfl", "4:5", None),
        ("fal", "4:5", "This provider does not offer the aspect ratio 4:5."),
        ("fal", "16:9", None),
        ("fal", "", None),
        ("kie", "3:2", "This provider does not offer the aspect ratio 3:2."),
    ],
)
def test_a_route_refuses_ratios_that_it_does_not_offer(route: str, ratio: str, problem: str | None) -> None:
    [found] = [each for each in KONTEXT.routes if each.provider == route]
    assert route_problem(found, clean_inputs(KONTEXT, {"aspectRatio": ratio})) == problem


def test_a_route_offers_every_option_that_it_does_not_exclude() -> None:
    assert route_problem(PLAIN, {"aspectRatio": "4:5"}) is None
