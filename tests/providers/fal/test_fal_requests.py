"""What is sent to fal: endpoints, images and options of each model."""

from __future__ import annotations

from base64 import b64encode

import pytest

from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal
from tests.emulators.fal.records import Queued
from tests.providers.contract.spec import BLUE, GREEN, PROMPT, RED
from tests.providers.edits import edit, run
from tests.providers.fal.spec import FLUX_3, KONTEXT, KONTEXT_DEV


def only_task(fal: Fal) -> Queued:
    [task] = fal.tasks
    assert isinstance(task, Queued)
    assert task.ignored == set()  # fal knows every field that was sent
    return task


def uri(content: bytes) -> str:
    return f"data:image/png;base64,{b64encode(content).decode()}"


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        (KONTEXT, "fal-ai/flux-pro/kontext/text-to-image"),
        ("fal-ai/flux-pro/kontext/max", "fal-ai/flux-pro/kontext/max/text-to-image"),
        ("fal-ai/flux-2-max/edit", "fal-ai/flux-2-max"),
    ],
)
async def test_a_prompt_alone_is_sent_to_the_models_text_to_image_endpoint(
    adapter: Adapter, fal: Fal, target: str, endpoint: str
):
    await adapter.submit(edit(fal, target))

    task = only_task(fal)
    assert task.endpoint == endpoint
    assert task.request == {"prompt": PROMPT}


@pytest.mark.parametrize("target", [KONTEXT, "fal-ai/flux-pro/kontext/max", KONTEXT_DEV])
async def test_one_image_has_its_own_field(adapter: Adapter, fal: Fal, target: str):
    await adapter.submit(edit(fal, target, RED))

    task = only_task(fal)
    assert task.endpoint == target
    assert task.request == {"prompt": PROMPT, "image_url": uri(RED)}


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        (KONTEXT, "fal-ai/flux-pro/kontext/multi"),
        ("fal-ai/flux-pro/kontext/max", "fal-ai/flux-pro/kontext/max/multi"),
        (FLUX_3, FLUX_3),
    ],
)
async def test_several_images_are_sent_to_the_models_endpoint_for_them(
    adapter: Adapter, fal: Fal, target: str, endpoint: str
):
    await adapter.submit(edit(fal, target, RED, GREEN, BLUE))

    task = only_task(fal)
    assert task.endpoint == endpoint
    assert task.request["image_urls"] == [uri(RED), uri(GREEN), uri(BLUE)]


async def test_results_at_fal_expire(adapter: Adapter, fal: Fal):
    await run(adapter, edit(fal, KONTEXT, RED))

    assert all(file.expires_at is not None for file in fal.files.values())
