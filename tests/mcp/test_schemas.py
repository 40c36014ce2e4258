"""The schemas and descriptions of the tools."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator

from editor import catalog
from editor.catalog.types import Model
from editor.mcp.tools.base import Tool
from editor.mcp.tools.registry import TOOLS

# From the Naftiko capability "Flux Image Editing API": description, readOnly, destructive, idempotent.
SEED = {
    "editimagekontextpro": ("Edit image with FLUX.1 Kontext [pro]", False, False, False),
    "editimagekontextmax": ("Edit image with FLUX.1 Kontext [max]", False, False, False),
    "geteditresult": ("Flux Poll for editing result", True, False, True),
}
MODELS = list(catalog.catalog().models.values())


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    return [error.message for error in Draft202012Validator(schema).iter_errors(value)]


@pytest.mark.parametrize("name", SEED)
def test_the_kontext_tools_have_the_descriptions_of_the_capability(name: str) -> None:
    tool = TOOLS[name]
    annotations = tool.annotations
    assert (tool.description, annotations.read_only, annotations.destructive, annotations.idempotent) == SEED[
        name
    ]


@pytest.mark.parametrize("tool", TOOLS.values(), ids=lambda tool: tool.name)
def test_schemas_are_valid_and_describe_objects(tool: Tool) -> None:
    for schema in (tool.input_schema, tool.output_schema):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.id)
def test_the_schema_accepts_each_models_defaults(model: Model) -> None:
    defaults = {item.name: item.default for item in model.options if item.type == "select"}
    defaults |= {"samples": model.maximum_samples} if model.maximum_samples > 1 else {}
    parsed = {"prompt": "a harbour", "model": model.id, "parameters": defaults}
    assert problems(TOOLS["edit_image"].input_schema, parsed) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"model": "acme/best"},
        {"model_tier": "ultra"},
        {"provider": "acme"},
        {"provider": "sandbox"},
        {"parameters": {"quality": "ultra"}},
        {"parameters": {"samples": 5}},
        {"parameters": {"width": 63}},
        {"images": ["x"] * 17},
        {"wait_seconds": 301},
        {"wait_for_me": True},
    ],
)
def test_the_schema_refuses_values_that_no_model_supports(wrong: dict[str, Any]) -> None:
    assert len(problems(TOOLS["edit_image"].input_schema, {"prompt": "a harbour", **wrong})) == 1


def test_each_option_lists_its_models() -> None:
    options = TOOLS["edit_image"].input_schema["properties"]["parameters"]["properties"]
    assert set(options) == {item.name for model in MODELS for item in model.options}
    assert options["resolution"]["description"].endswith(
        "Models: google/gemini-3-pro-image, google/gemini-nano-banana-2.1."
    )


def test_the_kontext_schemas_match_the_model() -> None:
    schema = TOOLS["editimagekontextpro"].input_schema
    parsed = {"prompt": "a harbour", "aspect_ratio": "16:9", "seed": 7, "output_format": "png"}
    assert problems(schema, {**parsed, "safety_tolerance": 2, "prompt_upsampling": True}) == []
    assert problems(schema, {"prompt": "a harbour", "aspect_ratio": None, "seed": None}) == []
    assert problems(schema, {**parsed, "aspect_ratio": "17:9"}) != []
    assert problems(schema, {**parsed, "output_format": "gif"}) != []
    assert problems(schema, {**parsed, "seed": -1}) != []
