"""Edits at BFL that go well: what is sent, and what comes back."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from editor.providers import http, registry
from editor.providers.base import Account, ErrorKind, Progress, ProviderError, Result, Submitted
from editor.providers.bfl.adapter import Bfl as Adapter
from tests.emulators.bfl import Bfl
from tests.emulators.receiver import Receiver
from tests.providers.edits import edit, finish, is_final, png, run

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
MASK = png("white", mode="L")


async def test_a_prompt_alone_makes_an_image(adapter: Adapter, bfl: Bfl):
    result = await run(adapter, edit(bfl, "flux-kontext-pro", seed="42", aspectRatio="16:9"))

    [task] = bfl.tasks
    assert [image.content for image in result.images] == [task.pictures[0].content]
    assert result.images[0].content_type == "image/png"
    assert result.seed == 42
    assert task.path == "/v1/flux-kontext-pro"
    assert task.request == {"prompt": "make the sky stormy", "seed": 42, "aspect_ratio": "16:9"}
    assert task.headers["x-key"] == bfl.key


async def test_an_image_is_edited(adapter: Adapter, bfl: Bfl):
    result = await run(adapter, edit(bfl, "flux-kontext-pro", RED, outputFormat="jpeg"))

    [task] = bfl.tasks
    assert result.images[0].content == task.pictures[0].content
    assert result.images[0].content_type == "image/jpeg"
    assert result.seed == task.pictures[0].seed
    assert b64decode(task.request["input_image"]) == RED


@pytest.mark.parametrize("target", ["flux-kontext-max", "flux-2-pro", "flux-2-flex", "flux-2-klein-9b"])
async def test_references_go_in_their_order(adapter: Adapter, bfl: Bfl, target: str):
    await run(adapter, edit(bfl, target, RED, GREEN, BLUE))

    sent = bfl.tasks[0].request
    assert [b64decode(sent[name]) for name in ("input_image", "input_image_2", "input_image_3")] == [
        RED, GREEN, BLUE,
    ]  # fmt: skip


async def test_flux_2_takes_eight_images(adapter: Adapter, bfl: Bfl):
    await run(adapter, edit(bfl, "flux-2-pro", *[RED] * 7, BLUE))

    assert b64decode(bfl.tasks[0].request["input_image_8"]) == BLUE


async def test_a_mask_says_what_is_repainted(adapter: Adapter, bfl: Bfl):
    result = await run(adapter, edit(bfl, "flux-pro-1.0-fill", RED, mask=MASK, steps=30, guidance=60.0))

    [task] = bfl.tasks
    assert result.images[0].content == task.pictures[0].content
    assert b64decode(task.request.pop("image")) == RED
    assert b64decode(task.request.pop("mask")) == MASK
    assert task.request == {"prompt": "make the sky stormy", "steps": 30, "guidance": 60.0}


@pytest.mark.parametrize(
    ("target", "inputs", "sent"),
    [
        ("flux-2-pro", {"width": 0, "height": 0}, {}),
        ("flux-2-pro", {"width": 1024, "height": 0}, {"width": 1024}),
        ("flux-2-pro", {"width": "1024", "height": 768}, {"width": 1024, "height": 768}),
        ("flux-2-pro", {"safetyTolerance": 6}, {"safety_tolerance": 5}),
        ("flux-2-pro", {"promptUpsampling": "true", "aspectRatio": "1:1", "samples": 4}, {}),
        ("flux-2-flex", {"steps": 20, "guidance": "4.5"}, {"steps": 20, "guidance": 4.5}),
        ("flux-kontext-pro", {"safetyTolerance": "6"}, {"safety_tolerance": 6}),
        ("flux-kontext-pro", {"promptUpsampling": "true"}, {"prompt_upsampling": True}),
        ("flux-kontext-pro", {"promptUpsampling": "false"}, {"prompt_upsampling": False}),
        ("flux-kontext-pro", {"aspectRatio": "", "seed": "", "outputFormat": None}, {}),
        ("flux-kontext-pro", {"seed": 0}, {"seed": 0}),
        ("flux-kontext-pro", {"width": 1024, "height": 1024, "quality": "high"}, {}),
        ("flux-2-klein-9b", {"outputFormat": "webp"}, {"output_format": "webp"}),
        ("flux-pro-1.1", {"width": 512, "height": 512}, {"width": 512, "height": 512}),
        ("flux-pro-1.1-ultra", {"aspectRatio": "9:16"}, {"aspect_ratio": "9:16"}),
        ("flux-dev", {"steps": 28, "guidance": 3}, {"steps": 28, "guidance": 3.0}),
    ],
)
async def test_options_are_sent_as_the_model_knows_them(
    adapter: Adapter, bfl: Bfl, target: str, inputs: dict[str, Any], sent: dict[str, Any]
):
    await adapter.submit(edit(bfl, target, **inputs))

    assert bfl.tasks[0].request == {"prompt": "make the sky stormy"} | sent


@pytest.mark.parametrize(
    ("target", "count", "mask", "words"),
    [
        ("flux-kontext-pro", 5, None, "4 images at most"),
        ("flux-2-pro", 9, None, "8 images at most"),
        ("flux-pro-1.0-fill", 2, MASK, "one image at most"),
        ("flux-pro-1.0-fill", 1, None, "an image and a mask"),
        ("flux-pro-1.0-fill", 0, MASK, "an image and a mask"),
        ("flux-kontext-pro", 1, MASK, "does not support masks"),
    ],
)
async def test_what_bfl_would_ignore_or_refuse_is_not_sent(
    adapter: Adapter, bfl: Bfl, target: str, count: int, mask: bytes | None, words: str
):
    with pytest.raises(ProviderError, match=words) as caught:
        await adapter.submit(edit(bfl, target, *[RED] * count, mask=mask))

    assert is_final(caught.value, ErrorKind.INVALID_INPUT)
    assert bfl.calls == []


async def test_an_unknown_model_leaves_the_edit_to_another_route(adapter: Adapter, bfl: Bfl):
    with pytest.raises(ProviderError, match="flux-9") as caught:
        await adapter.submit(edit(bfl, "flux-9"))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


async def test_the_polls_tell_how_far_it_is(adapter: Adapter, bfl: Bfl):
    bfl.stop_clock()
    bfl.seconds, bfl.newer = 10, True
    request = edit(bfl, "flux-2-pro")
    task = await adapter.submit(request)

    told = []
    for _ in range(3):
        told.append(await adapter.poll(request, task))
        bfl.ahead += 4

    assert told == [Progress(percent=10), Progress(percent=40), Progress(percent=80)]
    assert isinstance(await adapter.poll(request, task), Result)


async def test_a_task_is_found_again_after_a_restart(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, "flux-2-pro")
    task = await adapter.submit(request)
    await http.close()

    again = Adapter()

    assert (await finish(again, request, task)).images[0].content == bfl.tasks[0].pictures[0].content


async def test_the_state_that_is_stored_holds_no_secret(adapter: Adapter, bfl: Bfl):
    task = await adapter.submit(edit(bfl, "flux-2-pro"))

    assert sorted(task.state) == ["polling_url", "submitted_at"]
    assert bfl.key not in repr(task)


async def test_with_a_callback_the_task_is_polled_at_the_base_url(adapter: Adapter, bfl: Bfl):
    with Receiver() as receiver:
        request = edit(bfl, "flux-2-pro", callback_url=receiver.url)
        task = await adapter.submit(request)
        assert task.state["polling_url"] == ""

        result = await finish(adapter, request, task)
        receiver.wait(1)

    assert bfl.tasks[0].request["webhook_url"] == receiver.url
    assert result.images[0].content == bfl.tasks[0].pictures[0].content


async def test_a_polling_url_elsewhere_never_gets_the_key(adapter: Adapter, bfl: Bfl):
    bfl.regional = True  # which is another origin here: localhost
    request = edit(bfl, "flux-2-pro")
    task = await adapter.submit(request)

    with pytest.raises(ProviderError, match="another server") as caught:
        await adapter.poll(request, task)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert bfl.tasks[0].polls == 0


async def test_links_hold_when_the_clocks_differ(adapter: Adapter, bfl: Bfl):
    bfl.ahead = 3600
    result = await run(adapter, edit(bfl, "flux-2-pro"))
    bfl.ahead = -3600
    earlier = await run(adapter, edit(bfl, "flux-2-pro"))

    assert result.images[0].content == bfl.tasks[0].pictures[0].content
    assert earlier.images[0].content == bfl.tasks[1].pictures[0].content


async def test_a_task_that_ended_long_ago_still_gives_its_result(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, "flux-2-pro")
    task = await adapter.submit(request)
    bfl.ahead += 3600

    result = await finish(adapter, request, task)

    assert result.images[0].content == bfl.tasks[0].pictures[0].content


async def test_no_key_goes_to_the_results_link(adapter: Adapter, bfl: Bfl):
    await run(adapter, edit(bfl, "flux-2-pro"))

    download = bfl.calls[-1]
    assert download.step == "download"
    assert bfl.key not in str(download.headers)


async def test_the_check_tells_the_credits(adapter: Adapter, bfl: Bfl):
    bfl.credits = 99.5

    assert await adapter.check(Account(base_url=bfl.url, key=bfl.key)) == "Credits left: 99.5"


@pytest.mark.parametrize("key", ["0f0e0d0c-0b0a-4908-8706-050403020199", "no such form", ""])
async def test_the_check_refuses_a_wrong_key(adapter: Adapter, bfl: Bfl, key: str):
    with pytest.raises(ProviderError, match="API key") as caught:
        await adapter.check(Account(base_url=bfl.url, key=key))

    assert is_final(caught.value, ErrorKind.AUTH)


async def test_a_cancel_does_nothing_as_bfl_has_none(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, "flux-2-pro")
    task = await adapter.submit(request)
    calls = len(bfl.calls)

    await adapter.cancel(request, task)

    assert len(bfl.calls) == calls


def test_one_key_may_have_so_many_active_tasks():
    bfl = registry.get("bfl")
    assert bfl.limits("flux-2-pro") == {"all": 24}
    assert bfl.limits("flux-kontext-max") == {"all": 24, "flux-kontext-max": 6}


async def test_a_task_of_another_day_is_not_confused_with_one_just_submitted(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, "flux-2-pro")

    with pytest.raises(ProviderError, match="no longer knows this edit") as caught:
        await adapter.poll(request, Submitted("gone", {"polling_url": "", "submitted_at": 0}))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
