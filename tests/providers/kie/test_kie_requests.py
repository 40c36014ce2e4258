"""What an edit becomes in a request to kie."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor.providers.kie import answers, requests
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.checks import http as client
from tests.emulators.kie import Kie
from tests.providers.calls import answer
from tests.providers.contract.spec import BLUE, GREEN, PROMPT, RED
from tests.providers.edits import contents, edit, image, png, run
from tests.providers.kie.spec import FIELDS, FLUX_2, GPT, KONTEXT, NANO_EDIT

OTHERS = [target for target in FIELDS if target != FLUX_2]  # which the contract covers
TWINS = {
    NANO_EDIT: "google/nano-banana",
    "flux-2/flex-image-to-image": "flux-2/flex-text-to-image",
    "gpt-image-2-5-flare-image-to-image": "gpt-image-2-5-flare-text-to-image",
    GPT: "gpt-image-2-5-sunburst-text-to-image",
}


@pytest.mark.parametrize("target", OTHERS)
async def test_a_prompt_alone_is_sent_to_the_text_to_image_model(adapter: Adapter, kie: Kie, target: str):
    await adapter.submit(edit(kie, target))

    [task] = kie.tasks
    assert task.request["model"] == TWINS.get(target, target)
    assert FIELDS[target] not in task.request["input"]


@pytest.mark.parametrize("target", OTHERS)
async def test_references_are_sent_in_the_models_field(adapter: Adapter, kie: Kie, target: str):
    await adapter.submit(edit(kie, target, RED, GREEN, BLUE))

    [task] = kie.tasks
    assert task.request["model"] == target
    assert contents(task.request["input"][FIELDS[target]]) == [RED, GREEN, BLUE]


@pytest.mark.parametrize("target", ["flux-kontext-pro", KONTEXT])
async def test_kontext_has_its_own_api(adapter: Adapter, kie: Kie, target: str):
    result = await run(adapter, edit(kie, target, RED, aspectRatio="", outputFormat="jpeg"))

    [task] = kie.tasks
    assert result.images[0].content_type == "image/jpeg"
    assert task.path == "/api/v1/flux/kontext/generate"
    assert contents([task.request.pop("inputImage")]) == [RED]
    assert task.request == {
        "prompt": PROMPT,
        "model": target,
        "outputFormat": "jpeg",
        "promptUpsampling": False,
        "safetyTolerance": 2,
    }


async def test_uploads_have_unguessable_names(adapter: Adapter, kie: Kie):
    await adapter.submit(edit(kie, FLUX_2, RED, RED))

    first, second = kie.tasks[0].request["input"]["input_urls"]
    assert first != second
    assert len(first.rpartition("/")[2]) == len("f" * 32 + ".png")


async def test_an_image_that_is_too_large_for_the_model_is_sent_as_jpeg(adapter: Adapter, kie: Kie):
    large = _padded(png(size=(64, 32), mode="RGBA", colour="#ff000000"), 11 * requests.MEGABYTE)
    request = replace(edit(kie, FLUX_2), images=(image(large), image(RED)))

    await run(adapter, request)
    await run(adapter, replace(request, target="nano-banana-pro"))

    sent = client.get(kie.tasks[0].request["input"]["input_urls"][0])
    assert sent.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(sent.content)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (64, 32))
        assert opened.getpixel((0, 0)) == (255, 255, 255)  # it was transparent
    assert client.get(kie.tasks[1].request["input"]["image_input"][0]).content == large


def _padded(content: bytes, size: int) -> bytes:
    """The same PNG with this many bytes of text in it."""
    info = PngInfo()
    info.add_text("padding", "x" * size)
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as opened:
        opened.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


def test_uploads_go_to_kies_upload_host_or_to_the_compatible_server():
    assert requests.upload_url("https://api.kie.ai").startswith("https://kieai.redpandaai.co/api/")
    assert requests.upload_url("https://kie.example").startswith("https://kie.example/api/")


def test_the_url_of_an_upload_has_either_of_two_names():
    for name in ("downloadUrl", "fileUrl"):
        body = {"success": True, "code": 200, "data": {name: "https://x.example/a.png"}}
        assert answers.uploaded(answer(200, body)) == "https://x.example/a.png"
