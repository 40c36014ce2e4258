"""What an edit becomes in a request to kie."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from httpx import Headers
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor.providers.base import ErrorKind, ProviderError
from editor.providers.http import Answer
from editor.providers.kie import answers, requests
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.checks import http as client
from tests.emulators.kie import Kie
from tests.emulators.receiver import Receiver
from tests.providers.edits import edit, image, is_final, png, run
from tests.providers.kie.edits import BOTH_APIS, FIELDS, FLUX_2, GPT, KONTEXT

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"


@pytest.mark.parametrize(
    ("inputs", "images", "sent"),
    [
        ({"aspectRatio": "16:9"}, [RED], {"aspectRatio": "16:9"}),
        ({"aspectRatio": "2:1"}, [RED], {"aspectRatio": "16:9"}),  # the nearest that is offered
        ({"promptUpsampling": "true"}, [RED], {"promptUpsampling": True}),
        ({"outputFormat": "png"}, [RED], {"outputFormat": "png"}),
        ({"safetyTolerance": "6"}, [RED], {"safetyTolerance": 2}),
        ({"safetyTolerance": "0"}, [RED], {"safetyTolerance": 0}),
        ({"safetyTolerance": 6}, [], {"safetyTolerance": 6, "aspectRatio": "1:1"}),
        ({"seed": "42", "samples": 4, "resolution": "2K"}, [RED], {}),
    ],
)
async def test_options_are_sent_as_kontext_knows_them(
    adapter: Adapter, kie: Kie, inputs: dict[str, Any], images: list[bytes], sent: dict[str, Any]
):
    await adapter.submit(edit(kie, KONTEXT, *images, **inputs))

    request = kie.tasks[0].request
    request.pop("inputImage", None)
    usual = {"outputFormat": "jpeg", "promptUpsampling": False, "safetyTolerance": 2}
    assert request == {"prompt": PROMPT, "model": KONTEXT} | usual | sent


@pytest.mark.parametrize(
    ("target", "inputs", "images", "sent"),
    [
        (FLUX_2, {}, [], {"aspect_ratio": "1:1", "resolution": "1K"}),
        (FLUX_2, {"width": 0, "height": 0}, [RED], {"aspect_ratio": "auto", "resolution": "1K"}),
        (FLUX_2, {"width": 1024, "height": 768}, [], {"aspect_ratio": "4:3", "resolution": "1K"}),
        (FLUX_2, {"width": 1024, "height": 2048}, [], {"aspect_ratio": "9:16", "resolution": "2K"}),
        (FLUX_2, {"resolution": "4K"}, [RED], {"aspect_ratio": "auto", "resolution": "2K"}),
        (FLUX_2, {"seed": 1, "outputFormat": "png"}, [], {"aspect_ratio": "1:1", "resolution": "1K"}),
        (
            "nano-banana-2-1",
            {"aspectRatio": "8:1", "resolution": "2K", "outputFormat": "jpeg"},
            [],
            {"aspect_ratio": "8:1", "resolution": "2K", "output_format": "jpg"},
        ),
        (
            "nano-banana-pro",
            {"aspectRatio": "", "resolution": "4K", "outputFormat": "png"},
            [RED],
            {"aspect_ratio": "auto", "resolution": "4K", "output_format": "png"},
        ),
        ("nano-banana-2-lite", {"resolution": "1K", "outputFormat": "png"}, [], {"aspect_ratio": "1:1"}),
        (
            "google/nano-banana-edit",
            {"aspectRatio": "4:5", "outputFormat": "jpeg"},
            [RED],
            {"image_size": "4:5", "output_format": "jpeg"},
        ),
        (
            GPT,
            {"aspectRatio": "21:9", "quality": "high", "background": "transparent", "samples": 2},
            [],
            {"aspect_ratio": "21:9", "resolution": "1K", "background": "transparent"},
        ),
    ],
)
async def test_options_are_sent_as_the_model_knows_them(
    adapter: Adapter, kie: Kie, target: str, inputs: dict[str, Any], images: list[bytes], sent: dict[str, Any]
):
    await adapter.submit(edit(kie, target, *images, **inputs))

    request = kie.tasks[0].request["input"]
    request.pop(FIELDS[target], None)
    assert request == {"prompt": PROMPT} | sent


async def test_uploads_have_names_that_nobody_guesses(adapter: Adapter, kie: Kie):
    await adapter.submit(edit(kie, FLUX_2, RED, RED))

    first, second = kie.tasks[0].request["input"]["input_urls"]
    assert first != second
    assert len(first.rpartition("/")[2]) == len("f" * 32 + ".png")


async def test_an_image_that_is_too_large_for_the_model_goes_as_jpeg(adapter: Adapter, kie: Kie):
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
    """The same PNG with so many bytes of text in it."""
    info = PngInfo()
    info.add_text("padding", "x" * size)
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(content)) as opened:
        opened.save(buffer, "PNG", pnginfo=info)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("target", "count", "most"),
    [(KONTEXT, 2, "one image"), (FLUX_2, 9, "8 images"), ("nano-banana-2-1", 15, "14 images")],
)
async def test_more_images_than_the_model_takes_are_refused(
    adapter: Adapter, kie: Kie, target: str, count: int, most: str
):
    with pytest.raises(ProviderError, match=f"at most {most}") as caught:
        await adapter.submit(edit(kie, target, *[RED] * count))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert kie.calls == []


@BOTH_APIS
async def test_a_mask_is_never_ignored(adapter: Adapter, kie: Kie, target: str):
    with pytest.raises(ProviderError, match="not support masks") as caught:
        await adapter.submit(edit(kie, target, RED, mask=png("white", mode="L")))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert kie.calls == []


async def test_an_unknown_model_leaves_the_edit_to_another_route(adapter: Adapter, kie: Kie):
    with pytest.raises(ProviderError, match="some/model") as caught:
        await adapter.submit(edit(kie, "some/model"))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert kie.calls == []


@BOTH_APIS
async def test_the_callback_url_is_handed_over(adapter: Adapter, kie: Kie, target: str):
    with Receiver() as receiver:
        await adapter.submit(edit(kie, target, RED, callback_url=receiver.url))
        receiver.wait(1)

    assert kie.tasks[0].request["callBackUrl"] == receiver.url


def test_uploads_go_to_kies_own_host_or_stay_at_a_compatible_server():
    assert requests.upload_url("https://api.kie.ai").startswith("https://kieai.redpandaai.co/api/")
    assert requests.upload_url("https://kie.example").startswith("https://kie.example/api/")


def test_an_address_of_an_upload_has_either_of_two_names():
    for name in ("downloadUrl", "fileUrl"):
        body = f'{{"success": true, "code": 200, "data": {{"{name}": "https://x.example/a.png"}}}}'
        assert answers.uploaded(Answer(200, Headers(), body.encode())) == "https://x.example/a.png"
