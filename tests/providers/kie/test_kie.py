"""Edits at kie that go well, from the submit to the images."""

from __future__ import annotations

import pytest

from editor.providers import http
from editor.providers.base import Account, ErrorKind, Progress, ProviderError
from editor.providers.kie import answers
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.checks import http as client
from tests.emulators.kie import Kie
from tests.providers.edits import edit, finish, is_final, png, run
from tests.providers.kie.edits import BOTH_APIS, FIELDS, FLUX_2, GPT, KONTEXT

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"
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


@BOTH_APIS
async def test_a_task_runs_until_it_has_succeeded(adapter: Adapter, kie: Kie, target: str):
    kie.stop_clock()
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
    assert answers.market_links({"state": "generating", "progress": 140}) == Progress(percent=100)
    assert answers.market_links({"state": "generating", "progress": -1}) == Progress(percent=0)


def test_several_results_come_in_order():
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
