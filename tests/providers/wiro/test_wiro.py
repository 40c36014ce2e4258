"""Tasks and keys specific to Wiro; what all providers share is in the contract."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from httpx import Headers

from editor.providers.base import ErrorKind
from editor.providers.http import Answer
from editor.providers.wiro import adapter as module
from editor.providers.wiro import answers
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.faults import Fault
from tests.emulators.wiro import Wiro
from tests.patience import until
from tests.providers.calls import failure, raised
from tests.providers.contract.spec import RED
from tests.providers.edits import account, edit, finish, image, is_final, is_temporary, run
from tests.providers.wiro.spec import FLUX_2, KONTEXT


@pytest.mark.parametrize(("percent", "path"), [(0, "Task/Cancel"), (50, "Task/Kill")])
async def test_a_queued_task_is_cancelled_and_a_running_one_is_killed(
    adapter: Adapter, wiro: Wiro, percent: int, path: str
):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    wiro.ahead += percent

    await adapter.cancel(request, task)

    assert wiro.tasks[0].cancelled_at is not None
    assert wiro.calls[-1].url.endswith(path)


async def test_a_task_between_queue_and_start_is_killed_as_soon_as_possible(adapter: Adapter, wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    wiro.ahead = 15
    cancel = asyncio.create_task(adapter.cancel(request, task))
    await until(lambda: sum(call.step == "cancel" and bool(call.status) for call in wiro.calls) >= 2)
    assert wiro.tasks[0].cancelled_at is None

    wiro.ahead = 30
    await cancel

    assert wiro.tasks[0].cancelled_at is not None


async def test_a_cancel_of_an_ended_task_tries_both_ways_twice(
    adapter: Adapter, wiro: Wiro, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "CANCEL_PAUSES", (0.01,))
    request = edit(wiro, FLUX_2)
    task = await adapter.submit(request)
    await finish(adapter, request, task)

    await adapter.cancel(request, task)

    assert sum(call.step == "cancel" for call in wiro.calls) == 4


async def test_the_check_judges_a_key_without_a_secret(adapter: Adapter, wiro: Wiro):
    wiro.secret = None

    assert await adapter.check(account(wiro)) == ""
    assert is_final(await failure(adapter.check(account(wiro, "wrong"))), ErrorKind.AUTH)


@pytest.mark.parametrize("secret", ["", "wrong"])
async def test_the_check_rejects_a_wrong_secret(adapter: Adapter, wiro: Wiro, secret: str):
    error = await failure(adapter.check(replace(account(wiro), secret=secret)))

    assert is_final(error, ErrorKind.AUTH)


def test_a_response_that_is_not_wiros_does_not_judge_the_key():
    page = Answer(200, Headers(), b"<html>Welcome")

    assert is_temporary(raised(answers.key_works, page))


async def test_an_account_runs_no_more_tasks_than_its_balance_allows(adapter: Adapter, wiro: Wiro):
    wiro.balance, wiro.seconds = 10, 100
    await adapter.submit(edit(wiro, FLUX_2))

    assert is_final(await failure(adapter.submit(edit(wiro, FLUX_2))), ErrorKind.RATE_LIMITED)


@pytest.mark.parametrize("status", ["task_error", "task_cancel"])
async def test_a_task_may_fail_with_any_last_status(adapter: Adapter, wiro: Wiro, status: str):
    wiro.fails_as = status
    wiro.script.next_submit = [Fault.FAILED]

    error = await failure(run(adapter, edit(wiro, FLUX_2)))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "the model ended with an error" in error.message


async def test_an_image_that_wiro_cannot_read_fails_the_task(adapter: Adapter, wiro: Wiro):
    broken = replace(image(RED), load=_nonsense)

    error = await failure(run(adapter, replace(edit(wiro, KONTEXT), images=(broken,))))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "Could not read the image" in error.message


async def _nonsense() -> bytes:
    return b"no image"
