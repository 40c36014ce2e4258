"""Every route of the shipped catalogue is known to its adapter and its provider."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from editor.catalog import catalog
from editor.catalog.types import Model, Route
from editor.catalog.validation import clean_inputs, route_problem
from editor.providers import registry
from editor.providers.base import EditRequest, ProviderError
from editor.providers.fal import requests as fal_requests
from editor.providers.kie import requests as kie_requests
from tests.emulators.registry import EMULATORS
from tests.providers.edits import edit, image, png, run

pytestmark = pytest.mark.usefixtures("connections")

ROUTES = [(model, route) for model in catalog().models.values() for route in model.routes]
IMMEDIATE = [(model, route) for model, route in ROUTES if registry.get(route.provider).immediate]
RATIOS = [
    pytest.param(route, option.value, id=f"{route.provider}-{route.target}-{option.value}")
    for model, route in ROUTES
    for item in model.options
    if item.name == "aspectRatio"
    for option in item.options
    if option.value
]


def named(value: Model | Route) -> str:
    """The id of a test's parameter."""
    return value.id if isinstance(value, Model) else f"{value.provider}-{value.target}"


@pytest.mark.parametrize(("route", "ratio"), RATIOS)
def test_a_ratio_is_sent_unchanged_or_the_route_reports_a_problem(route: Route, ratio: str):
    if route_problem(route, {"aspectRatio": ratio}):
        assert sent_ratio(route, ratio) != ratio
    else:
        assert sent_ratio(route, ratio) in (ratio, None)


def sent_ratio(route: Route, ratio: str) -> str | None:
    """The ratio in a request to fal or kie, "" if there is no request; None for other providers."""
    request = EditRequest("1", "1", "any/model", route.target, "x", inputs={"aspectRatio": ratio})
    if route.provider == "kie":
        sent = kie_requests.body(request, links=["https://kie.example/1.png"])
        return str((sent | sent.get("input", {})).get("aspect_ratio", sent.get("aspectRatio")))
    if route.provider == "fal":
        request = replace(request, images=(image(png()),))
        try:
            fal_requests.endpoint(request)
        except ProviderError:
            return ""
        sent = json.loads(fal_requests.body(request, urls=["https://fal.example/1.png"]))
        return str(sent.get("aspect_ratio") or sent.get("resolution_mode"))
    return None


@pytest.mark.parametrize(("model", "route"), ROUTES, ids=named)
async def test_the_defaults_of_a_model_run_with_the_fewest_and_the_most_images(model: Model, route: Route):
    inputs: dict[str, Any] = dict(clean_inputs(model, {}))
    provider = registry.get(route.provider)
    with EMULATORS[route.provider](longest_side=64, seconds=0.02) as emulator:
        for count in {int(route.mask) or model.minimum_images, model.maximum_images}:
            mask = png("white", mode="L") if route.mask else None
            request = edit(emulator, route.target, *[png()] * count, mask=mask, **inputs)
            result = await run(provider, request)
            made = emulator.tasks[-1].pictures
            assert [image.content for image in result.images] == [picture.content for picture in made]


@pytest.mark.parametrize(("model", "route"), IMMEDIATE, ids=named)
async def test_every_choice_of_an_immediate_model_is_accepted(model: Model, route: Route):
    """One at a time; providers with tasks check them only later."""
    choices: list[dict[str, Any]] = [
        {item.name: option.value} for item in model.options for option in item.options
    ]
    if model.maximum_samples > 1:
        choices.append({"samples": model.maximum_samples})
    with EMULATORS[route.provider](longest_side=64, seconds=0) as emulator:
        for choice in choices:
            inputs: dict[str, Any] = dict(clean_inputs(model, choice))
            await registry.get(route.provider).submit(edit(emulator, route.target, png(), **inputs))

        assert len(emulator.tasks) == len(choices)
