"""Behaviour specific to OpenAI; what all providers share is in the contract."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image

from editor.providers.base import Result
from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.faults import Fault
from tests.emulators.openai import OpenAi
from tests.providers.contract.spec import BLUE, GREEN, RED
from tests.providers.edits import edit, image, jpeg, png, run
from tests.providers.openai.spec import MINI, SUNBURST, images


def half_white(size: tuple[int, int] = (256, 256)) -> bytes:
    """A mask whose left half may change."""
    mask = Image.new("L", size, "black")
    mask.paste("white", (0, 0, size[0] // 2, size[1]))
    buffer = BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()


async def test_references_are_sent_in_order_each_with_name_and_type(adapter: Adapter, openai: OpenAi):
    photo = jpeg()
    pictures = (image(RED), image(photo, "image/jpeg"), image(BLUE))
    await adapter.submit(replace(edit(openai, SUNBURST), images=pictures))

    sent = openai.tasks[0].request["image"]
    assert [upload.content for upload in sent] == [RED, photo, BLUE]
    assert {upload.part for upload in sent} == {"image[]"}
    assert [(upload.filename, upload.content_type) for upload in sent] == [
        ("image-1.png", "image/png"),
        ("image-2.jpeg", "image/jpeg"),
        ("image-3.png", "image/png"),
    ]


async def test_sixteen_images_are_accepted(adapter: Adapter, openai: OpenAi):
    await adapter.submit(edit(openai, SUNBURST, *[RED] * 15, BLUE))

    assert images(openai.tasks[0]) == [*[RED] * 15, BLUE]


async def test_large_images_arrive_complete(adapter: Adapter, openai: OpenAi):
    large = RED + bytes(3 * 1024**2)

    await adapter.submit(edit(openai, SUNBURST, large, BLUE))

    assert images(openai.tasks[0]) == [large, BLUE]


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


async def test_several_samples_of_a_prompt_are_made_at_once(adapter: Adapter, openai: OpenAi):
    result = await run(adapter, edit(openai, SUNBURST, samples=3))

    [task] = openai.tasks
    assert task.request["n"] == 3
    assert [made.content for made in result.images] == [picture.content for picture in task.pictures]


async def test_a_response_without_an_image_is_an_empty_result(adapter: Adapter, openai: OpenAi):
    openai.script.next_submit = [Fault.EMPTY_RESULT]

    submitted = await adapter.submit(edit(openai, SUNBURST, RED))

    assert submitted.result == Result(images=())
    assert len(openai.tasks) == 1
