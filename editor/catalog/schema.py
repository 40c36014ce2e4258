"""A model's inputs as JSON Schema, for API documents and agents."""

from __future__ import annotations

from typing import Any

from editor.catalog.types import Input, Model
from editor.catalog.validation import MAXIMUM_PROMPT, MAXIMUM_TEXT, clean_value


def json_schema(model: Model) -> dict[str, Any]:
    """JSON Schema 2020-12 of all inputs of a model, under the provider's own names.

    Options have the default that is used when they are left out. The prompt and the images have none:
    the vendor's default prompt is given as an example.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": model.label,
        "description": model.description,
        "type": "object",
        "properties": {item.name: _property(item) for item in model.inputs},
        "required": [item.name for item in model.inputs if item.role != "option" and item.required],
        "additionalProperties": False,
    }


def _property(item: Input) -> dict[str, Any]:
    schema: dict[str, Any] = {"title": item.display_label}
    if description := item.display_help or item.help:
        schema["description"] = description
    match item.role:
        case "prompt":
            schema |= {
                "type": "string",
                "minLength": 1,
                "maxLength": MAXIMUM_PROMPT,
                "examples": [item.default],
            }
        case "image":
            schema |= {"type": "string"}
        case "images":
            schema |= {"type": "array", "items": {"type": "string"}, "maxItems": item.maximum_items}
            schema |= {"minItems": 1} if item.required else {}
        case "option":
            schema |= _option(item) | {"default": clean_value(item, item.default)}
    return schema


def _option(item: Input) -> dict[str, Any]:
    if item.type == "select":
        return {"type": "string", "enum": [option.value for option in item.options]}
    if item.whole_number or item.type == "float":
        kind = "integer" if item.whole_number else "number"
        schema: dict[str, Any] = {"type": kind if item.required else [kind, "null"], "maximum": item.maximum}
        if item.zero_allowed:
            schema["anyOf"] = [{"const": 0}, {"minimum": item.minimum}]
        else:
            schema["minimum"] = item.minimum
        if item.multiple_of > 1:
            schema["multipleOf"] = item.multiple_of
        return schema
    return {"type": "string" if item.required else ["string", "null"], "maxLength": MAXIMUM_TEXT}
