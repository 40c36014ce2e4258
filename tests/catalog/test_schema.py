"""The JSON Schema of a model matches what `clean_inputs` accepts."""

from __future__ import annotations

from typing import Any

import pytest

from editor.catalog import catalog, get_model
from editor.catalog.schema import json_schema
from editor.catalog.types import Model
from editor.catalog.validation import clean_inputs
from editor.errors import InvalidInput

MODELS = list(catalog().models.values())


def properties(model_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json_schema(get_model(model_id))["properties"]
    return found


def accepts(model: Model, name: str, value: object) -> bool:
    try:
        clean_inputs(model, {name: value})
    except InvalidInput:
        return False
    return True


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_a_schema_has_every_input_and_no_other(model: Model) -> None:
    schema = json_schema(model)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert list(schema["properties"]) == [item.name for item in model.inputs]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_defaults_of_a_schema_are_those_of_clean_inputs(model: Model) -> None:
    defaults = {
        name: schema["default"]
        for name, schema in json_schema(model)["properties"].items()
        if "default" in schema
    }
    assert defaults == clean_inputs(model, {})


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_limits_of_a_schema_are_the_last_accepted_values(model: Model) -> None:
    for name, schema in json_schema(model)["properties"].items():
        if "maximum" in schema:
            step = schema.get("multipleOf", 1)
            lowest = schema["minimum"] if "minimum" in schema else schema["anyOf"][1]["minimum"]
            assert accepts(model, name, lowest) and accepts(model, name, schema["maximum"])
            assert not accepts(model, name, lowest - step) and not accepts(
                model, name, schema["maximum"] + step
            )
        for value in schema.get("enum", []):
            assert accepts(model, name, value)


@pytest.mark.parametrize(
    ("model_id", "required"),
    [
        ("black-forest-labs/flux-kontext-pro", ["prompt"]),
        ("wiro/flux_kontext_dev_with_2_image", ["inputImageUrl", "prompt"]),
        ("black-forest-labs/flux-2-pro", ["prompt"]),
    ],
)
def test_only_the_prompt_and_needed_images_are_required(model_id: str, required: list[str]) -> None:
    assert json_schema(get_model(model_id))["required"] == required


def test_a_size_that_may_be_zero() -> None:
    assert properties("black-forest-labs/flux-2-pro")["width"] == {
        "title": "Width",
        "description": "64 to 2048 pixels in steps of 16, or 0 to match the image.",
        "type": "integer",
        "anyOf": [{"const": 0}, {"minimum": 64}],
        "maximum": 2048,
        "multipleOf": 16,
        "default": 1024,
    }


def test_a_seed_that_the_provider_takes_as_text_is_an_integer_or_null() -> None:
    assert properties("black-forest-labs/flux-kontext-pro")["seed"] == {
        "title": "Seed",
        "description": "Same seed and settings, same result. Leave empty for a new one each time.",
        "type": ["integer", "null"],
        "minimum": 0,
        "maximum": 4294967295,
        "default": 42,
    }


def test_a_float_a_choice_and_images() -> None:
    scale = properties("wiro/flux_kontext_dev_with_2_image")["scale"]
    assert (scale["type"], scale["default"]) == ("number", 2.5)
    image_format = properties("black-forest-labs/flux-2-pro")["outputFormat"]
    assert (image_format["type"], image_format["enum"]) == ("string", ["jpeg", "png"])
    images = properties("black-forest-labs/flux-2-pro")["inputImage"]
    assert images == {"title": "Input images", "type": "array", "items": {"type": "string"}, "maxItems": 8}


def test_the_description_replaces_a_raw_key_of_the_provider() -> None:
    steps = properties("wiro/flux_kontext_dev_with_2_image")["steps"]
    assert (steps["title"], steps["description"]) == ("Steps", "More steps: finer, and slower.")


def test_the_vendors_prompt_is_an_example_and_not_a_default() -> None:
    prompt = properties("black-forest-labs/flux-2-pro")["prompt"]
    assert prompt["examples"] == ["Place the car in the image 2 to the road on the image 1."]
    assert "default" not in prompt
