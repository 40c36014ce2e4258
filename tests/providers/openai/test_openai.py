"""Edits at OpenAI that go well: what is sent, and what comes back."""

from __future__ import annotations

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
from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.openai import OpenAi
from tests.providers.edits import edit, image, is_final, png

SUNBURST, MINI = "gpt-image-2.6-sunburst", "gpt-image-1-mini"
RED, GREEN, BLUE = png("red"), png("green"), png("blue")


def jpeg() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (256, 256), "navy").save(buffer, "JPEG")
    return buffer.getvalue()


def half_white(size: tuple[int, int] = (256, 256)) -> bytes:
    """A mask whose left half may change."""
    mask = Image.new("L", size, "black")
    mask.paste("white", (0, 0, size[0] // 2, size[1]))
    buffer = BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()


async def test_a_prompt_alone_makes_an_image(adapter: Adapter, openai: OpenAi):
    submitted = await adapter.submit(edit(openai, SUNBURST))

    [task] = openai.tasks
    assert submitted.task_id == task.id
    assert submitted.result is not None
    [made] = submitted.result.images
    assert made.content == task.pictures[0].content
    assert made.content_type == "image/png"
    assert task.path == "/v1/images/generations"
    assert task.request == {"model": SUNBURST, "prompt": "make the sky stormy", "n": 1, "size": "auto"}
    assert task.headers["authorization"] == f"Bearer {openai.key}"


async def test_an_image_is_edited(adapter: Adapter, openai: OpenAi):
    submitted = await adapter.submit(edit(openai, SUNBURST, RED, quality="high", outputFormat="webp"))

    [task] = openai.tasks
    assert submitted.result is not None
    assert submitted.result.images[0].content == task.pictures[0].content
    assert submitted.result.images[0].content_type == "image/webp"
    assert task.path == "/v1/images/edits"
    assert [upload.content for upload in task.request.pop("image")] == [RED]
    assert task.request == {
        "model": SUNBURST,
        "prompt": "make the sky stormy",
        "n": 1,
        "size": "auto",
        "quality": "high",
        "output_format": "webp",
        "mask": None,
        "markup": None,
    }


async def test_references_go_in_their_order_each_with_name_and_type(adapter: Adapter, openai: OpenAi):
    photo = jpeg()
    images = (image(RED), image(photo, "image/jpeg"), image(BLUE))
    await adapter.submit(replace(edit(openai, SUNBURST), images=images))

    sent = openai.tasks[0].request["image"]
    assert [upload.content for upload in sent] == [RED, photo, BLUE]
    assert {upload.part for upload in sent} == {"image[]"}
    assert [(upload.filename, upload.content_type) for upload in sent] == [
        ("image-1.png", "image/png"),
        ("image-2.jpeg", "image/jpeg"),
        ("image-3.png", "image/png"),
    ]


async def test_sixteen_images_fit(adapter: Adapter, openai: OpenAi):
    await adapter.submit(edit(openai, SUNBURST, *[RED] * 15, BLUE))

    assert openai.tasks[0].request["image"][15].content == BLUE


async def test_large_images_arrive_whole(adapter: Adapter, openai: OpenAi):
    large = RED + bytes(3 * 1024**2)

    await adapter.submit(edit(openai, SUNBURST, large, BLUE))

    assert [upload.content for upload in openai.tasks[0].request["image"]] == [large, BLUE]


@pytest.mark.parametrize("model", [SUNBURST, "gpt-image-2.6-flare", MINI])
async def test_white_in_the_mask_becomes_transparent(adapter: Adapter, openai: OpenAi, model: str):
    submitted = await adapter.submit(edit(openai, model, RED, GREEN, mask=half_white()))

    [task] = openai.tasks
    sent = task.request["mask"]
    assert sent.content_type == "image/png"
    with Image.open(BytesIO(sent.content)) as mask:
        assert (mask.mode, mask.size) == ("RGBA", (256, 256))
        alpha = mask.getchannel("A")
        assert (alpha.getpixel((20, 100)), alpha.getpixel((200, 100))) == (0, 255)
    assert submitted.result is not None
    assert submitted.result.images[0].content == task.pictures[0].content


async def test_a_mask_gets_the_size_of_the_first_image(adapter: Adapter, openai: OpenAi):
    await adapter.submit(edit(openai, SUNBURST, png("red", (320, 256)), RED, mask=half_white((160, 128))))

    assert (openai.tasks[0].request["mask"].width, openai.tasks[0].request["mask"].height) == (320, 256)


async def test_a_mask_without_an_image_is_not_sent(adapter: Adapter, openai: OpenAi):
    with pytest.raises(ProviderError, match="needs an image") as caught:
        await adapter.submit(edit(openai, SUNBURST, mask=half_white()))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert openai.calls == []


@pytest.mark.parametrize("images", [[], [RED]], ids=["generation", "edit"])
async def test_several_samples_come_at_once(adapter: Adapter, openai: OpenAi, images: list[bytes]):
    submitted = await adapter.submit(edit(openai, SUNBURST, *images, samples=3))

    [task] = openai.tasks
    assert task.request["n"] == 3
    assert submitted.result is not None
    contents = [made.content for made in submitted.result.images]
    assert contents == [picture.content for picture in task.pictures]
    assert len(set(contents)) == 3


@pytest.mark.parametrize(
    ("model", "inputs", "size"),
    [
        (SUNBURST, {}, "auto"),
        (SUNBURST, {"aspectRatio": ""}, "auto"),
        (SUNBURST, {"aspectRatio": "", "resolution": "2K"}, "auto"),
        (SUNBURST, {"aspectRatio": "match_input_image"}, "auto"),
        (SUNBURST, {"aspectRatio": "0:1"}, "auto"),
        (SUNBURST, {"width": 0, "height": "0"}, "auto"),
        (SUNBURST, {"width": "1024", "height": 768}, "1024x768"),
        (SUNBURST, {"aspectRatio": "3:2"}, "1536x1024"),
        (SUNBURST, {"aspectRatio": "2:3"}, "1024x1536"),
        (SUNBURST, {"aspectRatio": "1:1"}, "1248x1248"),
        (SUNBURST, {"aspectRatio": "16:9"}, "1536x864"),
        (SUNBURST, {"aspectRatio": "1:1", "resolution": "1K"}, "1024x1024"),
        (SUNBURST, {"aspectRatio": "16:9", "resolution": "2K"}, "2560x1440"),
        (SUNBURST, {"aspectRatio": "16:9", "resolution": "4K"}, "3840x2160"),
        (SUNBURST, {"aspectRatio": "1:1", "resolution": "4K"}, "2880x2880"),
        (SUNBURST, {"aspectRatio": "21:9", "resolution": "4K"}, "3808x1632"),
        (SUNBURST, {"aspectRatio": "8:1"}, "2160x720"),  # no steeper than 3:1
        (SUNBURST, {"aspectRatio": "1:4"}, "720x2160"),
        (MINI, {"aspectRatio": ""}, "auto"),
        (MINI, {"aspectRatio": "1:1", "resolution": "2K"}, "1024x1024"),
        (MINI, {"aspectRatio": "16:9"}, "1536x1024"),
        (MINI, {"aspectRatio": "4:5"}, "1024x1536"),
        (MINI, {"width": 512, "height": 512}, "1024x1024"),
    ],
)
async def test_the_size_is_one_that_the_model_makes(
    adapter: Adapter, openai: OpenAi, model: str, inputs: dict[str, Any], size: str
):
    await adapter.submit(edit(openai, model, **inputs))

    assert openai.tasks[0].request["size"] == size


ENTRIES = [
    (model, route.target)
    for model in catalog().models.values()
    for route in model.routes
    if route.provider == "openai"
]


@pytest.mark.parametrize(("model", "target"), ENTRIES, ids=[target for _, target in ENTRIES])
async def test_every_choice_of_the_catalogue_is_taken(
    adapter: Adapter, openai: OpenAi, model: Model, target: str
):
    openai.seconds = 0
    choices: list[dict[str, Any]] = [
        *({item.name: option.value} for item in model.options for option in item.options),
        {"samples": model.maximum_samples},
    ]
    for choice in choices:
        inputs: dict[str, Any] = dict(clean_inputs(model, choice))
        await adapter.submit(edit(openai, target, RED, **inputs))

    assert len(openai.tasks) == len(choices)


async def test_an_input_that_openai_has_no_field_for_is_not_sent(adapter: Adapter, openai: OpenAi):
    await adapter.submit(edit(openai, SUNBURST, RED, seed=42, safetyTolerance=2, steps=28, guidance=2.5))

    assert "seed" not in openai.tasks[0].request


async def test_an_answer_that_was_not_stored_cannot_be_asked_for_again(adapter: Adapter, openai: OpenAi):
    request = edit(openai, SUNBURST)
    submitted = await adapter.submit(request)

    with pytest.raises(ProviderError) as caught:
        await adapter.poll(request, Submitted(submitted.task_id, submitted.state))

    assert is_final(caught.value, ErrorKind.UNKNOWN_OUTCOME)
    assert "when the portal stopped" in caught.value.message
    assert len(openai.calls) == 1


async def test_a_cancel_does_nothing_as_openai_has_none(adapter: Adapter, openai: OpenAi):
    await adapter.cancel(edit(openai, SUNBURST), Submitted("req_1"))

    assert openai.calls == []


async def test_the_check_tells_how_many_models_there_are(adapter: Adapter, openai: OpenAi):
    assert await adapter.check(Account(openai.url, openai.key)) == "Models for images: 11"
    assert openai.tasks == []


async def test_nothing_that_is_kept_holds_the_key(adapter: Adapter, openai: OpenAi):
    request = edit(openai, SUNBURST, RED)
    submitted = await adapter.submit(request)

    assert openai.key not in repr(submitted) + repr(request) + repr(vars(adapter))


def test_the_registry_knows_it_as_a_provider_that_answers_at_once():
    openai = registry.get("openai")
    assert (openai.label, openai.public_url) == ("OpenAI", "https://api.openai.com")
    assert openai.immediate
    assert not openai.idempotent
