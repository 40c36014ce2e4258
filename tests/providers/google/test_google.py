"""Behaviour specific to Google; what all providers share is in the contract."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.providers.base import ErrorKind
from editor.providers.google.adapter import Google as Adapter
from tests.emulators.google import Google
from tests.providers.calls import failure
from tests.providers.contract.spec import BLUE, PROMPT, RED
from tests.providers.edits import edit, image, is_final, jpeg, png, run
from tests.providers.google.spec import NANO, images


async def test_images_follow_the_prompt_each_with_its_type(adapter: Adapter, google: Google):
    photo = jpeg()
    pictures = (image(RED), image(photo, "image/jpeg"), image(BLUE))
    await adapter.submit(replace(edit(google, NANO), images=pictures))

    [task] = google.tasks
    text, *sent = task.request["contents"][0]["parts"]
    assert text == {"text": PROMPT}
    assert images(task) == [RED, photo, BLUE]
    assert [part["inlineData"]["mimeType"] for part in sent] == ["image/png", "image/jpeg", "image/png"]


async def test_fourteen_images_are_accepted(adapter: Adapter, google: Google):
    await adapter.submit(edit(google, NANO, *[RED] * 13, BLUE))

    assert images(google.tasks[0]) == [*[RED] * 13, BLUE]


async def test_a_result_may_be_jpeg_and_come_without_usage(adapter: Adapter, google: Google):
    google.format, google.usage = "jpeg", False

    result = await run(adapter, edit(google, NANO, RED))

    assert result.images[0].content_type == "image/jpeg"
    assert result.images[0].content == google.tasks[0].pictures[0].content


async def test_a_request_that_is_too_large_for_google_is_reported(adapter: Adapter, google: Google):
    google.seconds = 0
    noise = png() + bytes(16 * 1024**2)

    error = await failure(adapter.submit(edit(google, NANO, noise)))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "exceeds the limit" in error.message


@pytest.mark.parametrize("target", ["../../v1/models", "x?key=1"])
async def test_a_model_that_would_change_the_url_leaves_the_edit_to_another_route(
    adapter: Adapter, google: Google, target: str
):
    assert is_final(await failure(adapter.submit(edit(google, target))), ErrorKind.UNAVAILABLE)
    assert google.tasks == []
