"""Edits at kie that go well: what is sent, and what comes back."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from httpx import Headers
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from editor.providers import http
from editor.providers.base import Account, ErrorKind, Progress, ProviderError
from editor.providers.http import Answer
from editor.providers.kie import answers, requests
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.checks import http as client
from tests.emulators.kie import Kie
from tests.emulators.receiver import Receiver
from tests.providers.edits import edit, finish, image, is_final, png, run

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"
FLUX_2 = "flux-2/pro-image-to-image"
GPT = "gpt-image-2-5-sunburst-image-to-image"
KONTEXT = "flux-kontext-max"
# Each market model with its field for images.
FIELDS = {
    "google/nano-banana-edit": "image_urls",
    "nano-banana-2": "image_input",
    "nano-banana-2-1": "image_input",
    "nano-banana-2-lite": "image_urls",
    "nano-banana-pro": "image_input",
    FLUX_2: "input_urls",
    "flux-2/flex-image-to-image": "input_urls",
    "gpt-image-2-5-flare-image-to-image": "input_urls",
    GPT: "input_urls",
}
TWINS = {
    "google/nano-banana-edit": "google/nano-banana",
    FLUX_2: "flux-2/pro-text-to-image",
    "flux-2/flex-image-to-image": "flux-2/flex-text-to-image",
    "gpt-image-2-5-flare-image-to-image": "gpt-image-2-5-flare-text-to-image",
    GPT: "gpt-image-2-5-sunburst-text-to-image",
}


@pytest.mark.parametrize("target", FIELDS)
async def test_a_prompt_alone_makes_an_image(adapter: Adapter, kie: Kie, target: str):
    result = await run(adapter, edit(kie, target))

    [task] = kie.tasks
    assert [each.content for each in result.images] == [task.pictures[0].content]
    assert result.seed is None
    assert task.request["model"] == TWINS.get(target, target)
    assert FIELDS[target] not in task.request["input"]
    assert task.headers["authorization"] == f"Bearer {kie.key}"


@pytest.mark.parametrize(("target", "field"), FIELDS.items())
async def test_references_go_in_their_order(adapter: Adapter, kie: Kie, target: str, field: str):
    result = await run(adapter, edit(kie, target, RED, GREEN, BLUE))

    [task] = kie.tasks
    assert result.images[0].content == task.pictures[0].content
    assert task.request["model"] == target
    links = task.request["input"][field]
    assert [client.get(link).content for link in links] == [RED, GREEN, BLUE]


@pytest.mark.parametrize("target", ["flux-kontext-pro", KONTEXT])
async def test_kontext_has_an_api_of_its_own(adapter: Adapter, kie: Kie, target: str):
    result = await run(adapter, edit(kie, target, RED, aspectRatio="", outputFormat="jpeg"))

    [task] = kie.tasks
    assert result.images[0].content == task.pictures[0].content
    assert result.images[0].content_type == "image/jpeg"
    assert task.path == "/api/v1/flux/kontext/generate"
    assert client.get(task.request.pop("inputImage")).content == RED
    assert task.request == {
        "prompt": PROMPT,
        "model": target,
        "outputFormat": "jpeg",
        "promptUpsampling": False,
        "safetyTolerance": 2,
    }


async def test_kontext_makes_an_image_from_a_prompt_alone(adapter: Adapter, kie: Kie):
    result = await run(adapter, edit(kie, KONTEXT, outputFormat="png"))

    [task] = kie.tasks
    assert result.images[0].content == task.pictures[0].content
    assert task.request["aspectRatio"] == "1:1"
    assert "inputImage" not in task.request


@pytest.mark.parametrize(
    ("inputs", "images", "sent"),
    [
        ({"aspectRatio": "16:9"}, [RED], {"aspectRatio": "16:9"}),
        ({"aspectRatio": "2:1"}, [RED], {"aspectRatio": "16:9"}),  # the nearest that is offered
        ({"promptUpsampling": "true"}, [RED], {"promptUpsampling": True}),
        ({"outputFormat": "webp"}, [RED], {"outputFormat": "png"}),
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
            {"aspectRatio": "", "resolution": "4K", "outputFormat": "webp"},
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


@pytest.mark.parametrize("target", [KONTEXT, FLUX_2])
async def test_a_mask_is_never_ignored(adapter: Adapter, kie: Kie, target: str):
    with pytest.raises(ProviderError, match="no mask") as caught:
        await adapter.submit(edit(kie, target, RED, mask=png("white", mode="L")))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert kie.calls == []


async def test_an_unknown_model_leaves_the_edit_to_another_route(adapter: Adapter, kie: Kie):
    with pytest.raises(ProviderError, match="some/model") as caught:
        await adapter.submit(edit(kie, "some/model"))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert kie.calls == []


@pytest.mark.parametrize("target", [KONTEXT, FLUX_2])
async def test_the_callback_url_is_handed_over(adapter: Adapter, kie: Kie, target: str):
    with Receiver() as receiver:
        await adapter.submit(edit(kie, target, RED, callback_url=receiver.url))
        receiver.wait(1)

    assert kie.tasks[0].request["callBackUrl"] == receiver.url


@pytest.mark.parametrize("target", [KONTEXT, FLUX_2])
async def test_a_task_runs_until_it_has_succeeded(adapter: Adapter, kie: Kie, target: str):
    kie.seconds = 100
    request = edit(kie, target)
    task = await adapter.submit(request)

    for _ in range(4):
        assert await adapter.poll(request, task) == Progress()
        kie.ahead += 24
    kie.ahead += 10

    result = await finish(adapter, request, task)
    assert result.images[0].content == kie.tasks[0].pictures[0].content


def test_progress_is_told_where_kie_tells_it():
    assert answers.market_links({"state": "generating", "progress": 40}) == Progress(percent=40)
    assert answers.market_links({"state": "generating", "progress": None}) == Progress()


async def test_several_results_come_in_order():
    text = '{"resultUrls": ["https://x.example/1.png", null, "https://x.example/2.png"]}'

    links = answers.market_links({"state": "success", "resultJson": text})

    assert links == ("https://x.example/1.png", "https://x.example/2.png")


async def test_a_task_is_found_again_after_a_restart(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    await http.close()

    result = await finish(Adapter(), request, task)

    assert result.images[0].content == kie.tasks[0].pictures[0].content


async def test_the_state_that_is_stored_holds_no_key(adapter: Adapter, kie: Kie):
    task = await adapter.submit(edit(kie, FLUX_2))

    assert sorted(task.state) == ["submitted_at"]
    assert kie.key not in repr(task)


async def test_no_key_goes_to_the_results_link(adapter: Adapter, kie: Kie):
    await run(adapter, edit(kie, FLUX_2))

    download = kie.calls[-1]
    assert download.step == "download"
    assert kie.key not in str(download.headers)


@pytest.mark.parametrize("ahead", [3600, -3600])
async def test_the_clocks_may_differ(adapter: Adapter, kie: Kie, ahead: float):
    kie.ahead = ahead

    result = await run(adapter, edit(kie, FLUX_2, RED))

    assert result.images[0].content == kie.tasks[0].pictures[0].content


@pytest.mark.parametrize(("real_status", "content_types"), [(True, True), (False, False)])
async def test_answers_are_read_whatever_their_headers(
    adapter: Adapter, kie: Kie, real_status: bool, content_types: bool
):
    kie.real_status, kie.content_types = real_status, content_types

    result = await run(adapter, edit(kie, FLUX_2, RED))

    assert result.images[0].content == kie.tasks[0].pictures[0].content


async def test_the_check_tells_the_credits(adapter: Adapter, kie: Kie):
    assert await adapter.check(Account(base_url=kie.url, key=kie.key)) == "Credits left: 1,234.5"
    assert kie.tasks == []


@pytest.mark.parametrize("key", ["wrong", ""])
async def test_the_check_refuses_a_wrong_key(adapter: Adapter, kie: Kie, key: str):
    with pytest.raises(ProviderError, match="API key") as caught:
        await adapter.check(Account(base_url=kie.url, key=key))

    assert is_final(caught.value, ErrorKind.AUTH)


async def test_a_cancel_does_nothing_as_kie_has_none(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    calls = len(kie.calls)

    await adapter.cancel(request, task)

    assert len(kie.calls) == calls


def test_an_account_runs_a_hundred_tasks_at_once():
    assert Adapter().limits(FLUX_2) == {"all": 100}


def test_uploads_go_to_kies_own_host_or_stay_at_a_compatible_server():
    assert requests.upload_url("https://api.kie.ai").startswith("https://kieai.redpandaai.co/api/")
    assert requests.upload_url("https://kie.example").startswith("https://kie.example/api/")


def test_an_address_of_an_upload_has_either_of_two_names():
    for name in ("downloadUrl", "fileUrl"):
        body = f'{{"success": true, "code": 200, "data": {{"{name}": "https://x.example/a.png"}}}}'
        assert answers.uploaded(Answer(200, Headers(), body.encode())) == "https://x.example/a.png"
