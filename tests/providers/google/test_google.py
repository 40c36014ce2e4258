"""Edits at Google that go well: what is sent, and what comes back."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from editor.catalog import catalog
from editor.catalog.types import Model
from editor.catalog.validation import clean_inputs
from editor.providers import registry
from editor.providers.base import Account, ErrorKind, ProviderError, Submitted
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.google import Google
from tests.providers.edits import edit, image, is_final, png

NANO, PRO = "gemini-nano-banana-2.1", "gemini-3-pro-image"
RED, BLUE = png("red"), png("blue")


def jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (256, 256), "navy").save(buffer, "JPEG")
    return buffer.getvalue()


async def test_a_prompt_alone_makes_an_image(adapter: Adapter, google: Google):
    submitted = await adapter.submit(edit(google, NANO))

    [task] = google.tasks
    assert submitted.task_id == task.id
    assert submitted.result is not None
    [made] = submitted.result.images
    assert made.content == task.pictures[0].content
    assert made.content_type == "image/png"
    assert task.path == f"/v1beta/models/{NANO}:generateContent"
    assert task.request == {
        "contents": [{"role": "user", "parts": [{"text": "make the sky stormy"}]}],
        "generationConfig": {"responseModalities": ["TEXT", "IMAGE"]},
    }
    assert task.headers["x-goog-api-key"] == google.key
    assert google.key not in google.calls[0].url


async def test_images_go_in_their_order_after_the_prompt(adapter: Adapter, google: Google):
    photo = jpeg()
    images = (image(RED), image(photo, "image/jpeg"), image(BLUE))
    submitted = await adapter.submit(replace(edit(google, NANO), images=images))

    [task] = google.tasks
    assert submitted.result is not None
    assert submitted.result.images[0].content == task.pictures[0].content
    words, *sent = task.request["contents"][0]["parts"]
    assert words == {"text": "make the sky stormy"}
    assert [b64decode(part["inlineData"]["data"]) for part in sent] == [RED, photo, BLUE]
    assert [part["inlineData"]["mimeType"] for part in sent] == ["image/png", "image/jpeg", "image/png"]


async def test_fourteen_images_fit(adapter: Adapter, google: Google):
    await adapter.submit(edit(google, NANO, *[RED] * 13, BLUE))

    assert b64decode(google.tasks[0].request["contents"][0]["parts"][14]["inlineData"]["data"]) == BLUE


@pytest.mark.parametrize(
    ("inputs", "config"),
    [
        ({}, None),
        ({"aspectRatio": "", "resolution": None}, None),
        ({"aspectRatio": "16:9"}, {"aspectRatio": "16:9"}),
        ({"resolution": "2K"}, {"imageSize": "2K"}),
        ({"aspectRatio": "21:9", "resolution": "4K"}, {"aspectRatio": "21:9", "imageSize": "4K"}),
        # Google has no fields for these: it takes the formats, samples and sizes that it likes.
        ({"outputFormat": "jpeg", "samples": 2, "width": 512, "seed": 42, "steps": 28}, None),
    ],
)
async def test_ratio_and_size_are_left_out_where_they_match_the_image(
    adapter: Adapter, google: Google, inputs: dict[str, Any], config: dict[str, str] | None
):
    await adapter.submit(edit(google, PRO, RED, **inputs))

    sent = google.tasks[0].request["generationConfig"]
    assert sent.pop("responseModalities") == ["TEXT", "IMAGE"]
    assert sent == ({} if config is None else {"imageConfig": config})


ENTRIES = [
    (model, route.target)
    for model in catalog().models.values()
    for route in model.routes
    if route.provider == "google"
]


@pytest.mark.parametrize(("model", "target"), ENTRIES, ids=[target for _, target in ENTRIES])
async def test_every_choice_of_the_catalogue_is_taken(
    adapter: Adapter, google: Google, model: Model, target: str
):
    google.seconds = 0
    choices = [{item.name: option.value} for item in model.options for option in item.options]
    for choice in choices:
        inputs: dict[str, Any] = dict(clean_inputs(model, choice))
        await adapter.submit(edit(google, target, RED, **inputs))

    assert len(google.tasks) == len(choices)


async def test_a_mask_is_refused_and_nothing_is_sent(adapter: Adapter, google: Google):
    with pytest.raises(ProviderError, match="not support masks") as caught:
        await adapter.submit(edit(google, NANO, RED, mask=png("white", mode="L")))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert google.calls == []


async def test_a_result_may_be_jpeg_and_come_without_figures(adapter: Adapter, google: Google):
    google.format, google.usage = "jpeg", False

    submitted = await adapter.submit(edit(google, NANO, RED))

    assert submitted.result is not None
    assert submitted.result.images[0].content_type == "image/jpeg"
    assert submitted.result.images[0].content == google.tasks[0].pictures[0].content


async def test_an_answer_that_was_not_stored_cannot_be_asked_for_again(adapter: Adapter, google: Google):
    request = edit(google, NANO)
    submitted = await adapter.submit(request)

    with pytest.raises(ProviderError) as caught:
        await adapter.poll(request, Submitted(submitted.task_id, submitted.state))

    assert is_final(caught.value, ErrorKind.UNKNOWN_OUTCOME)
    assert "when the portal stopped" in caught.value.message
    assert len(google.calls) == 1


async def test_a_cancel_does_nothing_as_google_has_none(adapter: Adapter, google: Google):
    await adapter.cancel(edit(google, NANO), Submitted("x"))

    assert google.calls == []


async def test_the_check_asks_for_the_models_and_makes_none_work(adapter: Adapter, google: Google):
    assert await adapter.check(Account(google.url, google.key)) == ""

    [call] = google.calls
    assert call.url == f"{google.url}/v1beta/models?pageSize=1"
    assert google.tasks == []


async def test_nothing_that_is_kept_holds_the_key(adapter: Adapter, google: Google):
    request = edit(google, NANO, RED)
    submitted = await adapter.submit(request)

    assert google.key not in repr(submitted) + repr(request) + repr(vars(adapter))


def test_the_registry_knows_it_as_a_provider_that_answers_at_once():
    google = registry.get("google")
    assert (google.label, google.public_url) == ("Google", "https://generativelanguage.googleapis.com")
    assert google.immediate
    assert not google.idempotent
