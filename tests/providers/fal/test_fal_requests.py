"""What is sent to fal: endpoints, images and options of each model."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from editor.providers.base import ErrorKind, ProviderError
from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal
from tests.emulators.fal.records import Queued
from tests.providers.edits import edit, is_final, png, run

KONTEXT = "fal-ai/flux-pro/kontext"
KONTEXT_DEV = "fal-ai/flux-kontext/dev"
FLUX_2 = "fal-ai/flux-2-pro/edit"
RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = {"prompt": "make the sky stormy"}


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
        (FLUX_2, "fal-ai/flux-2-pro"),
        ("fal-ai/flux-2-max/edit", "fal-ai/flux-2-max"),
    ],
)
async def test_a_prompt_alone_goes_to_the_models_text_twin(
    adapter: Adapter, fal: Fal, target: str, endpoint: str
):
    result = await run(adapter, edit(fal, target, seed="42"))

    task = only_task(fal)
    assert [image.content for image in result.images] == [task.pictures[0].content]
    assert result.images[0].content_type == "image/jpeg"
    assert result.seed == 42
    assert task.endpoint == endpoint
    assert task.request == PROMPT | {"seed": 42}
    assert task.headers["authorization"] == f"Key {fal.key}"


@pytest.mark.parametrize("target", [KONTEXT, "fal-ai/flux-pro/kontext/max", KONTEXT_DEV])
async def test_an_image_is_edited(adapter: Adapter, fal: Fal, target: str):
    result = await run(adapter, edit(fal, target, RED, outputFormat="png"))

    task = only_task(fal)
    assert result.images[0].content == task.pictures[0].content
    assert result.images[0].content_type == "image/png"
    assert task.endpoint == target
    assert task.request == PROMPT | {"image_url": uri(RED), "output_format": "png"}


@pytest.mark.parametrize(
    ("target", "endpoint"),
    [
        (KONTEXT, "fal-ai/flux-pro/kontext/multi"),
        ("fal-ai/flux-pro/kontext/max", "fal-ai/flux-pro/kontext/max/multi"),
        (FLUX_2, FLUX_2),
        ("blackforestlabs/flux-3/edit-image", "blackforestlabs/flux-3/edit-image"),
    ],
)
async def test_references_go_in_their_order(adapter: Adapter, fal: Fal, target: str, endpoint: str):
    result = await run(adapter, edit(fal, target, RED, GREEN, BLUE))

    task = only_task(fal)
    assert result.images[0].content == task.pictures[0].content
    assert task.endpoint == endpoint
    assert task.request["image_urls"] == [uri(RED), uri(GREEN), uri(BLUE)]


async def test_flux_2_takes_one_image_as_a_list(adapter: Adapter, fal: Fal):
    await run(adapter, edit(fal, FLUX_2, RED))

    assert only_task(fal).request == PROMPT | {"image_urls": [uri(RED)]}


async def test_several_samples_are_all_fetched(adapter: Adapter, fal: Fal):
    result = await run(adapter, edit(fal, KONTEXT, RED, samples=3))

    task = only_task(fal)
    assert task.request["num_images"] == 3
    assert [image.content for image in result.images] == [picture.content for picture in task.pictures]
    assert len({image.content for image in result.images}) == 3


async def test_what_fal_makes_is_not_kept_for_ever(adapter: Adapter, fal: Fal):
    await run(adapter, edit(fal, KONTEXT, RED))

    assert all(file.expires_at is not None for file in fal.files.values())


@pytest.mark.parametrize(
    ("target", "inputs", "sent"),
    [
        (KONTEXT, {"aspectRatio": "16:9"}, {"aspect_ratio": "16:9"}),
        (KONTEXT, {"aspectRatio": "", "seed": None, "outputFormat": ""}, {}),
        (KONTEXT, {"safetyTolerance": "0"}, {"safety_tolerance": "1"}),
        (KONTEXT, {"safetyTolerance": 6}, {"safety_tolerance": "6"}),
        (KONTEXT, {"promptUpsampling": "true"}, {"enhance_prompt": True}),
        (KONTEXT, {"promptUpsampling": "false"}, {"enhance_prompt": False}),
        (KONTEXT, {"width": 512, "height": 512, "quality": "high", "steps": 3}, {}),
        (KONTEXT_DEV, {"aspectRatio": "4:5"}, {"resolution_mode": "4:5"}),
        (KONTEXT_DEV, {"steps": 3, "scale": 0}, {"num_inference_steps": 10, "guidance_scale": 1.0}),
        (KONTEXT_DEV, {"steps": "28", "guidance": "2.5"}, {"num_inference_steps": 28, "guidance_scale": 2.5}),
        (KONTEXT_DEV, {"safetyTolerance": 2}, {}),
        (FLUX_2, {"safetyTolerance": 6}, {"safety_tolerance": "5"}),
        (FLUX_2, {"width": "1024", "height": 768}, {"image_size": {"width": 1024, "height": 768}}),
        (FLUX_2, {"width": 1024, "height": 0}, {}),
        (FLUX_2, {"width": 0, "height": 0, "samples": 4}, {}),
    ],
)
async def test_options_are_sent_as_the_model_knows_them(
    adapter: Adapter, fal: Fal, target: str, inputs: dict[str, Any], sent: dict[str, Any]
):
    await run(adapter, edit(fal, target, RED, **inputs))

    task = only_task(fal)
    assert {name: value for name, value in task.request.items() if not name.startswith("image_url")} == (
        PROMPT | sent
    )


@pytest.mark.parametrize(
    ("target", "images", "inputs", "words"),
    [
        (KONTEXT, 5, {}, "4 images at most"),
        (KONTEXT_DEV, 2, {}, "one image at most"),
        (KONTEXT_DEV, 0, {}, "needs an image"),
        ("blackforestlabs/flux-3/edit-image", 0, {}, "needs an image"),
        (KONTEXT, 1, {"aspectRatio": "4:5"}, "aspect ratio 4:5"),
        (KONTEXT, 1, {"mask": RED}, "does not support masks"),
    ],
)
async def test_what_fal_would_ignore_or_refuse_is_not_sent(
    adapter: Adapter, fal: Fal, target: str, images: int, inputs: dict[str, Any], words: str
):
    with pytest.raises(ProviderError, match=words) as caught:
        await adapter.submit(edit(fal, target, *[RED] * images, **inputs))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert fal.calls == []


async def test_an_unknown_model_leaves_the_edit_to_another_route(adapter: Adapter, fal: Fal):
    with pytest.raises(ProviderError, match="fal-ai/flux-9") as caught:
        await adapter.submit(edit(fal, "fal-ai/flux-9"))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
