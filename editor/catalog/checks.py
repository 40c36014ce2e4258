"""Semantic checks of catalogue entries, beyond having the right keys: (key, problem) pairs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from editor.catalog.types import Input, Model, Route, Tier
from editor.catalog.validation import MAXIMUM_PROMPT, clean_text, clean_value

Problems = Iterator[tuple[str, str]]

SANDBOX = "sandbox"
_MODEL_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.-]*")
_DEFAULTS: dict[str, tuple[type, str]] = {
    "number": (int, "a whole number"),
    "float": (float, "a number with a decimal point"),
}


def model_problems(model: Model) -> Problems:
    if not _MODEL_ID.fullmatch(model.id):
        yield "id", f"{model.id!r} must look like vendor/name, in lowercase"
    if model.time_limit_seconds < model.typical_seconds:
        yield "time_limit_seconds", "must not be less than typical_seconds"
    yield from twice("inputs", [item.name for item in model.inputs])
    yield from twice("routes", model.providers)
    if SANDBOX in model.providers:
        yield "routes", f'"{SANDBOX}" runs every model and is not listed'
    if not model.mask and any(route.mask for route in model.routes):
        yield "mask", "must be true where a route has mask = true"
    if model.mask_required and not (model.mask and all(route.mask for route in model.routes)):
        yield "mask_required", "needs mask = true for the model and for each route"
    if model.samples_input and not any(_counts_samples(model, item) for item in model.options):
        yield "samples_input", "must name an option of the type number with a minimum of at least 1"
    for route in model.routes:
        yield from _without_problems(model, route)
    yield from twice("ideas", [idea.label for idea in model.ideas])
    prompts = sum(item.role == "prompt" for item in model.inputs)
    if prompts != 1:
        yield "inputs", f'exactly one must have the role "prompt"; {prompts} have'
    for prompt in (*model.sample_prompts, *(idea.prompt for idea in model.ideas)):
        try:
            clean_text(prompt, maximum=MAXIMUM_PROMPT)
        except ValueError as error:
            yield "sample_prompts or ideas", f"{prompt[:40]!r}...: {error}"


def input_problems(item: Input) -> Problems:
    """All problems of one input. Its default is checked only if the rest is valid."""
    found = [*_kind_problems(item), *_limit_problems(item)]
    yield from found or _default_problems(item)


def tier_problems(tier: Tier, models: Mapping[str, Model]) -> Problems:
    model = models.get(tier.model)
    if model is None:
        yield "model", f"{tier.model!r} is not in the catalogue"
    elif tier.route and tier.route not in model.providers:
        yield "route", f"{tier.model!r} has no route to the provider {tier.route!r}"
    for provider, model_id in tier.own_keys.items():
        if model_id not in models:
            yield "own_keys", f"{model_id!r} is not in the catalogue"
        elif provider not in models[model_id].providers:
            yield "own_keys", f"{model_id!r} has no route to the provider {provider!r}"
    for model_id in tier.prompt_models:
        if model_id not in models:
            yield "prompt_models", f"{model_id!r} is not in the catalogue"
        elif not models[model_id].text_to_image:
            yield "prompt_models", f"{model_id!r} needs an image"


def twice(key: str, names: Sequence[str]) -> Problems:
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield key, f"{name!r} is listed twice"


def _without_problems(model: Model, route: Route) -> Problems:
    offered = {item.name: [option.value for option in item.options] for item in model.options}
    for name, values in route.without.items():
        if not offered.get(name):
            yield f"routes {route.provider!r}: without", f"{name!r} is not a select input of the model"
            continue
        for value in values:
            if value not in offered[name]:
                yield f"routes {route.provider!r}: without", f"{value!r} is not an option of {name!r}"


def _counts_samples(model: Model, item: Input) -> bool:
    counts = item.type == "number" and item.required and not item.zero_allowed and (item.minimum or 0) >= 1
    return item.name == model.samples_input and counts


def _kind_problems(item: Input) -> Problems:
    """Type, role and the keys that depend on them must match."""
    expected = {"prompt": "textarea", "image": "text", "images": "combinefileinput"}.get(item.role)
    if expected and item.type != expected:
        yield "type", f'an input with the role "{item.role}" has the type "{expected}", not "{item.type}"'
    if item.role == "option" and item.type == "combinefileinput":
        yield "role", 'an input of the type "combinefileinput" has the role "images"'
    if (item.role == "images") != (item.maximum_items > 0):
        yield "maximum_items", 'belongs to inputs with the role "images", which need it'
    if (item.type == "select") != bool(item.options):
        yield "options", 'belong to inputs of the type "select", which need them'
    yield from twice("options", [option.value for option in item.options])


def _limit_problems(item: Input) -> Problems:
    limits = [limit for limit in (item.minimum, item.maximum) if limit is not None]
    numeric = item.type in ("number", "float")
    if limits and (item.role != "option" or not (numeric or item.type == "text")):
        yield "minimum", "minimum and maximum belong to options of the type number, float or text"
    elif len(limits) == 1 or (numeric and not limits):
        yield "minimum", "a number needs both minimum and maximum"
    elif limits != sorted(limits):
        yield "minimum", f"{item.minimum} is above the maximum {item.maximum}"
    if item.multiple_of > 1 and not item.whole_number:
        yield "multiple_of", "belongs to whole numbers"
    if item.zero_allowed and not (item.minimum or 0) > 0:
        yield "zero_allowed", "belongs to numbers with a minimum above 0"


def _default_problems(item: Input) -> Problems:
    kind, description = _DEFAULTS.get(item.type, (str, "text"))
    if not isinstance(item.default, kind):
        yield "default", f"must be {description} for the type {item.type}, not {item.default!r}"
    elif item.type == "select" and item.default not in [option.value for option in item.options]:
        yield "default", f"{item.default!r} is not among the options"
    elif item.role == "option" and item.default == "" and item.required and item.type != "select":
        yield "default", "must not be empty, unless required = false"
    elif item.role == "option":
        try:
            clean_value(item, item.default)
        except ValueError as error:
            yield "default", f"{item.default!r} is refused: {error}"
