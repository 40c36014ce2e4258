"""JSON Schemas of tools that depend on the catalogue."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, JsonValue

from editor import catalog
from editor.catalog.schema import json_schema
from editor.providers import registry

_ABOUT = ("title", "description", "default")


def of_input(arguments: type[BaseModel]) -> dict[str, Any]:
    return arguments.model_json_schema()


def of_output(answer: type[BaseModel]) -> dict[str, Any]:
    return answer.model_json_schema(mode="serialization")


def models() -> list[JsonValue]:
    return list(catalog.catalog().models)


def tiers() -> list[JsonValue]:
    return list(catalog.catalog().tiers)


def providers() -> list[JsonValue]:
    """The platform, and providers for which a workspace can have its own key."""
    known = registry.providers().items()
    return ["platform", *(name for name, provider in known if provider.needs_key)]


def parameters() -> dict[str, Any]:
    """The options of all models as one object: allowed values, and which models have each option."""
    found: dict[str, dict[str, Any]] = {}
    models_by_option: dict[str, list[str]] = {}
    for model in catalog.catalog().models.values():
        properties = json_schema(model)["properties"]
        for item in model.options:
            schema = properties[item.name]
            entry = found.setdefault(
                item.name, {"title": schema["title"], "description": schema.get("description", "")}
            )
            variants: list[dict[str, Any]] = entry.setdefault("anyOf", [])
            variant = {name: value for name, value in schema.items() if name not in _ABOUT}
            if variant not in variants:
                variants.append(variant)
            models_by_option.setdefault(item.name, []).append(model.id)
    for name, entry in found.items():
        entry["description"] = f"{entry['description']} Models: {', '.join(models_by_option[name])}.".strip()
    return {"type": "object", "properties": found}
