"""Every route of the catalogue is one that its adapter and its provider know, as the files stand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from editor.catalog import catalog
from editor.catalog.types import Model, Route
from editor.catalog.validation import clean_inputs
from editor.providers import http, registry
from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.google import Google
from tests.emulators.kie import Kie
from tests.emulators.openai import OpenAi
from tests.emulators.wiro import Wiro
from tests.providers.edits import edit, png, run

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
