"""The catalogue's models in Wiro's format: "tools"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from editor import catalog
from editor.access.actor import Actor
from editor.access.scopes import READ
from editor.catalog.types import Input, Model
from editor.compat.wiro import translate
from editor.compat.wiro.body import Body
from editor.compat.wiro.views import call
from editor.concurrency.threads import in_thread
from editor.queries import pricing
from editor.queries.pricing import Choice
from editor.representations import wiro

Table = dict[str, Any]


@call(READ)
async def detail(request: HttpRequest, actor: Actor, given: Body) -> Table:
    """POST /v1/Tool/Detail: one model, with its inputs."""
    model = translate.find_model(given.text("slugowner"), given.text("slugproject"))
    offered = await in_thread(pricing.offer, workspace=actor.workspace)
    tool = _tool(model, offered.models[model.id]) | {"parameters": _parameters(model)}
    return wiro.envelope(total=1, tool=[tool])


@call(READ)
async def tools(request: HttpRequest, actor: Actor, given: Body) -> Table:
    """POST /v1/Tool/List: all models, or those with all search terms in their names or descriptions."""
    offered = await in_thread(pricing.offer, workspace=actor.workspace)
    terms, owner = given.text("search").lower().split(), given.text("slugowner").lower()
    found = [
        _tool(model, offered.models[model.id])
        for model in catalog.catalog().models.values()
        if all(word in f"{model.id} {model.label} {model.description}".lower() for word in terms)
        and (not owner or model.id.startswith(f"{owner}/"))
    ]
    start, limit = translate.number(given, "start", 0), translate.number(given, "limit", 100)
    return wiro.envelope(total=len(found), tool=found[start : start + limit])


@call(READ)
async def explore(request: HttpRequest, actor: Actor, given: Body) -> Table:
    """POST /v1/Tool/Explore: the models by vendor."""
    offered = await in_thread(pricing.offer, workspace=actor.workspace)
    models = catalog.catalog().models.values()
    vendors = list(dict.fromkeys(model.vendor for model in models))
    return wiro.envelope(
        explore=[
            {
                "id": str(number),
                "title": vendor,
                "tools": [
                    _tool(model, offered.models[model.id]) for model in models if model.vendor == vendor
                ],
            }
            for number, vendor in enumerate(vendors, start=1)
        ]
    )


def _tool(model: Model, choice: Choice | None) -> Table:
    """A model without its inputs. The price is for one result; none if it cannot run here now."""
    owner, _, project = model.id.partition("/")
    price = choice.credits / wiro.CREDITS_FOR_A_DOLLAR if choice else None
    method = "cpo" if model.maximum_samples > 1 else "cpr"
    return {
        "id": model.id,
        "title": model.label,
        "slugowner": owner,
        "slugproject": project,
        "cleanslugowner": owner,
        "cleanslugproject": project,
        "description": model.description,
        "image": "",
        "computingtime": f"{model.typical_seconds} seconds",
        "categories": wiro.categories(model),
        "tags": [],
        "samples": [],
        "marketplace": 0,
        "onlymembers": 1,
        "averagepoint": "0",
        "commentcount": "0",
        "dynamicprice": None
        if price is None
        else json.dumps([{"inputs": {}, "price": price, "priceMethod": method}]),
        "cps": None if price is None else f"{price / model.typical_seconds:.6f}",
        "approximatelycost": None if price is None else f"{price:.4f}",
        "parameters": None,
    }


def _parameters(model: Model) -> list[Table]:
    return [{"title": "Inputs", "items": [_input(item) for item in model.inputs]}]


def _input(item: Input) -> Mapping[str, Any]:
    return {
        "id": item.name,
        "type": item.type,
        "label": item.display_label,
        "required": item.required and (item.role != "option"),
        "default": item.default,
        "placeholder": "",
        "note": item.display_help,
        "description": item.help,
        "options": [{"value": option.value, "label": option.display_label} for option in item.options],
        "min": item.minimum,
        "max": item.maximum,
        "step": item.multiple_of if item.whole_number else None,
    }
