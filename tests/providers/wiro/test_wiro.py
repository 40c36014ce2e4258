"""Edits at Wiro that go well, from the submit to the images."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from editor.providers import http
from editor.providers.base import ErrorKind, Progress, ProviderError
from editor.providers.wiro import adapter as module
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.wiro import Wiro
from tests.providers.edits import finish, is_final, png, run
from tests.providers.wiro.edits import DEV, FLEX, FLUX_2, KLEIN, KONTEXT, contents, edit

RED, GREEN, BLUE = png("red"), png("green"), png("blue")
PROMPT = "make the sky stormy"


async def test_a_prompt_alone_makes_an_image(adapter: Adapter, wiro: Wiro):
    result = await run(adapter, edit(wiro, KONTEXT, seed="42", aspectRatio="16:9", outputFormat="jpeg"))

    [task] = wiro.tasks
    assert [each.content for each in result.images] == [task.pictures[0].content]
    assert result.images[0].content_type == "image/jpeg"
    assert result.seed == 42
    assert task.path == "/v1/Run/black-forest-labs/flux-kontext-pro"
    assert task.request == {
        "prompt": PROMPT,
        "seed": "42",
        "aspectRatio": "16:9",
        "outputFormat": "jpeg",
    }


@pytest.mark.parametrize("ahead", [3600, -3600])
async def test_the_clocks_may_differ(adapter: Adapter, wiro: Wiro, ahead: float):
    wiro.ahead = ahead

    result = await run(adapter, edit(wiro, FLUX_2, RED))

    assert result.images[0].content == wiro.tasks[0].pictures[0].content


@pytest.mark.parametrize(
    ("target", "field"), [(KONTEXT, "inputImageUrl"), (DEV, "inputImageUrl"), (FLUX_2, "inputImage")]
)
async def test_an_image_is_edited(adapter: Adapter, wiro: Wiro, target: str, field: str):
    result = await run(adapter, edit(wiro, target, RED))

    [task] = wiro.tasks
    assert result.images[0].content == task.pictures[0].content
    link = task.request[field]
    assert contents([link] if isinstance(link, str) else link) == [RED]


@pytest.mark.parametrize("target", [FLUX_2, FLEX, KLEIN])
async def test_references_go_in_their_order(adapter: Adapter, wiro: Wiro, target: str):
    await run(adapter, edit(wiro, target, RED, GREEN, BLUE))

    assert contents(wiro.tasks[0].request["inputImage"]) == [RED, GREEN, BLUE]


async def test_several_samples_come_in_order(adapter: Adapter, wiro: Wiro):
    result = await run(adapter, edit(wiro, DEV, RED, samples=3))

    assert [each.content for each in result.images] == [each.content for each in wiro.tasks[0].pictures]
    assert len(result.images) == 3


async def test_a_task_runs_until_it_is_stored(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)

    for _ in range(10):  # task_end comes before the end
        assert await adapter.poll(request, task) == Progress()
        wiro.ahead += 9.9
    wiro.ahead += 2

    result = await finish(adapter, request, task)
    assert result.images[0].content == wiro.tasks[0].pictures[0].content


async def test_a_task_is_found_again_after_a_restart(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    await http.close()

    result = await finish(Adapter(), request, task)

    assert result.images[0].content == wiro.tasks[0].pictures[0].content


async def test_the_state_that_is_stored_holds_no_key(adapter: Adapter, wiro: Wiro):
    task = await adapter.submit(edit(wiro))

    assert sorted(task.state) == ["seed", "submitted_at", "token"]
    assert wiro.key not in repr(task)
    assert str(wiro.secret) not in repr(task)


@pytest.mark.parametrize(("percent", "path"), [(0, "Task/Cancel"), (50, "Task/Kill")])
async def test_a_task_is_cancelled_in_the_queue_and_killed_later(
    adapter: Adapter, wiro: Wiro, percent: int, path: str
):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.ahead += percent

    await adapter.cancel(request, task)

    assert wiro.tasks[0].cancelled_at is not None
    assert wiro.calls[-1].url.endswith(path)


async def test_a_task_between_queue_and_start_is_killed_as_soon_as_it_can_be(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.ahead = 15
    cancel = asyncio.create_task(adapter.cancel(request, task))
    async with asyncio.timeout(60):
        while sum(call.step == "cancel" and bool(call.status) for call in wiro.calls) < 2:
            await asyncio.sleep(0.01)
    assert wiro.tasks[0].cancelled_at is None

    wiro.ahead = 30
    await cancel

    assert wiro.tasks[0].cancelled_at is not None


async def test_a_task_that_has_ended_is_no_trouble_to_cancel(
    adapter: Adapter, wiro: Wiro, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "CANCEL_PAUSES", (0.01,))
    request = edit(wiro)
    task = await adapter.submit(request)
    await finish(adapter, request, task)

    await adapter.cancel(request, task)

    assert sum(call.step == "cancel" for call in wiro.calls) == 4


async def test_a_cancel_that_nobody_answers_is_no_trouble(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.stop()

    await adapter.cancel(request, task)


@pytest.mark.parametrize("secret", ["test-api-secret", None])
async def test_the_check_tries_the_key(adapter: Adapter, wiro: Wiro, secret: str | None):
    wiro.secret = secret
    account = edit(wiro).account

    assert await adapter.check(account) == ""
    for wrong in (replace(account, key="wrong"), replace(account, key="")):
        with pytest.raises(ProviderError, match="API key") as caught:
            await adapter.check(wrong)
        assert is_final(caught.value, ErrorKind.AUTH)
    assert wiro.tasks == []


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_the_check_finds_a_wrong_secret(adapter: Adapter, wiro: Wiro, secret: str):
    with pytest.raises(ProviderError) as caught:
        await adapter.check(replace(edit(wiro).account, secret=secret))

    assert is_final(caught.value, ErrorKind.AUTH)
