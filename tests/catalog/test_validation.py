"""Validation of the inputs that callers send."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from editor.catalog import catalog, get_model
from editor.catalog.types import Model
from editor.catalog.validation import clean_inputs
from editor.errors import InvalidInput

KONTEXT = get_model("black-forest-labs/flux-kontext-pro")
KONTEXT_DEV = get_model("wiro/flux_kontext_dev_with_2_image")
FLUX_2 = get_model("black-forest-labs/flux-2-pro")
MODELS = list(catalog().models.values())

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["", "0", "28", "nan"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


def refused(model: Model, **values: object) -> dict[str, str]:
    with pytest.raises(InvalidInput) as caught:
        clean_inputs(model, values)
    return caught.value.fields


# --- Defaults and types ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            KONTEXT,
            {
                "promptUpsampling": "false",
                "safetyTolerance": "2",
                "aspectRatio": "",
                "seed": 42,
                "outputFormat": "jpeg",
            },
        ),
        (KONTEXT_DEV, {"steps": 28, "scale": 2.5, "samples": 1, "seed": 0}),
        (FLUX_2, {"width": 1024, "height": 1024, "safetyTolerance": 2, "seed": 123, "outputFormat": "png"}),
    ],
)
def test_missing_inputs_get_the_default_in_its_type(model: Model, expected: dict[str, Any]) -> None:
    cleaned = clean_inputs(model, {})
    assert cleaned == expected
    assert [type(value) for value in cleaned.values()] == [type(value) for value in expected.values()]


@pytest.mark.parametrize("sent", [28, 28.0, "28", " 28 ", "28.0", "+28"])
def test_a_whole_number_may_be_sent_as_number_or_text(sent: object) -> None:
    steps = clean_inputs(KONTEXT_DEV, {"steps": sent})["steps"]
    assert (steps, type(steps)) == (28, int)


@pytest.mark.parametrize(
    ("sent", "expected"), [(3, 3.0), ("3", 3.0), ("2.75", 2.75), (0, 0.0), ("1e1", 10.0)]
)
def test_a_float_may_be_sent_as_number_or_text(sent: object, expected: float) -> None:
    scale = clean_inputs(KONTEXT_DEV, {"scale": sent})["scale"]
    assert (scale, type(scale)) == (expected, float)


@pytest.mark.parametrize("sent", ["", "  ", None])
def test_an_empty_seed_is_random_for_both_types_of_seed(sent: object) -> None:
    assert clean_inputs(KONTEXT, {"seed": sent})["seed"] is None
    assert clean_inputs(FLUX_2, {"seed": sent})["seed"] is None


@pytest.mark.parametrize("sent", ["", None])
def test_any_other_empty_option_gets_its_default(sent: object) -> None:
    cleaned = clean_inputs(FLUX_2, {"width": sent, "outputFormat": sent})
    assert (cleaned["width"], cleaned["outputFormat"]) == (1024, "png")


@pytest.mark.parametrize(
    ("sent", "expected"), [(True, "true"), (False, "false"), ("true", "true"), (" true", "true")]
)
def test_a_choice_may_be_sent_as_a_boolean(sent: object, expected: str) -> None:
    assert clean_inputs(KONTEXT, {"promptUpsampling": sent})["promptUpsampling"] == expected


def test_a_numeric_choice_may_be_sent_as_a_number() -> None:
    assert clean_inputs(KONTEXT, {"safetyTolerance": 2})["safetyTolerance"] == "2"


def test_every_listed_option_is_accepted() -> None:
    ratios = [option.value for option in KONTEXT.input("aspectRatio").options]
    assert [clean_inputs(KONTEXT, {"aspectRatio": ratio})["aspectRatio"] for ratio in ratios] == ratios


@pytest.mark.parametrize("sent", [0, "0", 64, 1008, 2048])
def test_a_size_within_range_and_steps_or_zero_is_accepted(sent: object) -> None:
    assert clean_inputs(FLUX_2, {"width": sent})["width"] == int(str(sent))


# --- Refusals ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "sent",
    [
        -16,
        16,
        48,
        65,
        1000,
        2064,
        2049,
        1024.5,
        "1024px",
        "1_024",
        "١٠٢٤",
        "0x40",
        True,
        [1024],
        {},
        10**400,
        -math.inf,
    ],
)
def test_the_error_of_an_invalid_size_states_the_valid_ones(sent: object) -> None:
    fields = refused(FLUX_2, width=sent)
    assert fields == {
        "width": "Enter a whole number from 64 to 2048 in steps of 16, or 0 to match the image."
    }


@pytest.mark.parametrize(
    "sent", [math.nan, math.inf, "nan", "inf", "Infinity", "1e999", -0.1, 20.1, True, 10**400, "2,5"]
)
def test_the_error_of_an_invalid_float_states_the_range(sent: object) -> None:
    assert refused(KONTEXT_DEV, scale=sent) == {"scale": "Enter a number from 0 to 20."}


@pytest.mark.parametrize("sent", [-1, 4294967296, "random", 1.5, False])
def test_the_error_of_an_invalid_seed_states_the_range(sent: object) -> None:
    assert refused(KONTEXT, seed=sent) == {"seed": "Enter a whole number from 0 to 4294967295."}


@pytest.mark.parametrize("sent", [0, 5, "many"])
def test_samples_outside_the_limits_are_refused(sent: object) -> None:
    assert refused(KONTEXT_DEV, samples=sent) == {"samples": "Enter a whole number from 1 to 4."}


@pytest.mark.parametrize("sent", ["webp", "JPEG", "png\0", 1, True, ["png"]])
def test_the_error_of_an_unlisted_choice_lists_the_valid_ones(sent: object) -> None:
    assert refused(FLUX_2, outputFormat=sent) == {"outputFormat": "Choose one of: jpeg, png."}


def test_a_number_too_long_to_print_is_refused_like_any_other() -> None:
    fields = refused(FLUX_2, width=10**5000, outputFormat=10**5000)
    assert fields["outputFormat"] == "Choose one of: jpeg, png."
    assert fields["width"].startswith("Enter a whole number")


@pytest.mark.parametrize("name", ["steps", "prompt", "inputImage", "Width"])
def test_names_that_are_not_options_of_the_model_are_refused(name: str) -> None:
    assert refused(FLUX_2, **{name: "1"}) == {name: "This model has no such option."}


def test_an_unknown_name_that_cannot_be_encoded_is_reported_encodable() -> None:
    [name] = refused(FLUX_2, **{"\ud800" + "x" * 500: 1})
    assert name.encode() == b"?" + b"x" * 99


def test_all_problems_are_reported_at_once() -> None:
    fields = refused(FLUX_2, width=1, height="tall", outputFormat="gif", colour="red", seed=7)
    assert set(fields) == {"width", "height", "outputFormat", "colour"}


# --- Arbitrary input ---------------------------------------------------------------------


@given(st.sampled_from(MODELS), st.data())
def test_any_json_is_either_valid_or_refused(model: Model, data: st.DataObject) -> None:
    names = st.sampled_from([item.name for item in model.inputs]) | st.text()
    values = data.draw(st.dictionaries(names, json_values, max_size=6))
    try:
        cleaned = clean_inputs(model, values)
    except InvalidInput as error:
        assert error.fields
    else:
        assert list(cleaned) == [item.name for item in model.options]
        assert clean_inputs(model, cleaned) == cleaned
        assert 1 <= model.samples(cleaned) <= model.maximum_samples


@given(
    steps=st.integers(1, 50),
    scale=st.floats(0, 20),
    samples=st.integers(1, 4),
    seed=st.none() | st.integers(0, 4294967295),
)
def test_valid_values_are_unchanged(**values: object) -> None:
    assert clean_inputs(KONTEXT_DEV, values) == values
