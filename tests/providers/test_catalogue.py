"""Every route of the catalogue is one that its adapter and its provider know, as the files stand."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from editor.catalog import catalog
from editor.catalog.types import Model, Route
from editor.catalog.validation import clean_inputs, route_problem
from editor.providers import http, registry
from editor.providers.base import EditRequest, ProviderError
from editor.providers.fal import requests as fal_requests
from editor.providers.kie import requests as kie_requests
from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.emulators.wiro import Wiro
from tests.providers.edits import edit, image, png, run

EMULATORS: dict[str, type[Emulator]] = {each.name: each for each in (Bfl, Fal, Google, Kie, OpenAi, Wiro)}
ROUTES = [
    pytest.param(model, route, id=f"{route.provider}-{route.target}")
    for model in catalog().models.values()
    for route in model.routes
]


@pytest_asyncio.fixture(autouse=True)
async def no_connections_left() -> AsyncIterator[None]:
    yield
    await http.close()


RATIOS = [
    pytest.param(route, option.value, id=f"{route.provider}-{route.target}-{option.value}")
    for model in catalog().models.values()
    for route in model.routes
    for item in model.options
    if item.name == "aspectRatio"
    for option in item.options
    if option.value
]


@pytest.mark.parametrize(("route", "ratio"), RATIOS)
def test_a_ratio_goes_as_it_is_or_the_route_says_that_it_does_not(route: Route, ratio: str):
    if route_problem(route, {"aspectRatio": ratio}):
        assert sent_ratio(route, ratio) != ratio
    else:
        assert sent_ratio(route, ratio) in (ratio, None)


def sent_ratio(route: Route, ratio: str) -> str | None:
    """The ratio in a request to fal or kie, "" where there is no request; None at the others."""
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


@pytest.mark.parametrize(("model", "route"), ROUTES)
async def test_the_defaults_of_a_model_run_with_the_fewest_and_the_most_images(model: Model, route: Route):
    inputs: dict[str, Any] = dict(clean_inputs(model, {}))
    provider = registry.get(route.provider)
    with EMULATORS[route.provider](longest_side=64, seconds=0.02) as emulator:
        for count in {int(route.mask) or model.minimum_images, model.maximum_images}:
            mask = png("white", mode="L") if route.mask else None
            request = edit(emulator, route.target, *[png()] * count, mask=mask, **inputs)
            if isinstance(emulator, Wiro):
                request = replace(request, account=replace(request.account, secret=emulator.secret or ""))
            if provider.immediate:
                result = (await provider.submit(request)).result
            else:
                result = await run(provider, request)
            assert result is not None
            made = emulator.tasks[-1].pictures
            assert [image.content for image in result.images] == [picture.content for picture in made]
