"""What goes wrong with a task at Wiro, and what it becomes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from editor.providers.base import ErrorKind, Progress, Result, Submitted
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.faults import NOT_AN_IMAGE, RETRY_AFTER, Fault, Step
from tests.emulators.wiro import Wiro
from tests.providers.clock import waited_for
from tests.providers.edits import finish, image, is_final, is_temporary, png, run
from tests.providers.wiro.edits import KONTEXT, edit, failure

RED = png("red")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
        (Fault.NOT_FOUND_YET, ErrorKind.UNAVAILABLE),
    ],
)
async def test_a_poll_without_a_clear_answer_is_asked_again(
    adapter: Adapter, wiro: Wiro, fault: Fault, kind: ErrorKind
):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.script.next_poll = [fault]

    async with waited_for(fault, once=lambda: not wiro.script.next_poll):
        error = await failure(adapter, request, task)
    assert is_temporary(error, kind)
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_refused_connection_at_a_poll_is_asked_again(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.stop()

    assert is_temporary(await failure(adapter, request, task))

    wiro.start()
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_rate_limited_poll_says_when_to_come_again(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.script.next_poll = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, request, task)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_a_key_that_was_revoked_meanwhile_ends_the_task(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    wiro.script.next_poll = [Fault.WRONG_KEY]

    assert is_final(await failure(adapter, request, task), ErrorKind.AUTH)


async def test_a_task_that_stays_unknown_is_given_up(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    task = await adapter.submit(request)
    earlier = Submitted(task.task_id, {**task.state, "submitted_at": time.time() - 31})
    wiro.script.next_poll = [Fault.NOT_FOUND_YET]

    error = await failure(adapter, request, earlier)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "no longer knows this task" in error.message


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "the prompt was flagged"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "the output was flagged"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "the model ended with an error"),
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "returned no image"),
        (Fault.LINK_NOT_FOUND, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.LINK_EXPIRED, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.HUGE, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
        (Fault.HUGE_UNANNOUNCED, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
    ],
)
async def test_a_task_that_ends_badly_is_over(
    adapter: Adapter, wiro: Wiro, fault: Fault, kind: ErrorKind, words: str
):
    wiro.script.next_submit = [fault]
    request = edit(wiro)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, kind)
    assert words in error.message


@pytest.mark.parametrize("status", ["task_postprocess_end", "task_error", "task_cancel"])
async def test_a_task_may_fail_by_any_last_status(adapter: Adapter, wiro: Wiro, status: str):
    wiro.fails_as = status
    wiro.script.next_submit = [Fault.FAILED]
    request = edit(wiro)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "the model ended with an error" in error.message


async def test_a_task_that_was_cancelled_at_wiro_says_so(adapter: Adapter, wiro: Wiro):
    wiro.seconds = 100
    request = edit(wiro)
    task = await adapter.submit(request)
    await adapter.cancel(request, task)

    error = await failure(adapter, request, task)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "canceled at the provider" in error.message


async def test_a_picture_that_wiro_cannot_read_fails_the_task(adapter: Adapter, wiro: Wiro):
    broken = replace(image(RED), load=_nonsense)
    request = replace(edit(wiro, KONTEXT), images=(broken,))

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "Could not read the image" in error.message


async def _nonsense() -> bytes:
    return b"no image"


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES])
async def test_a_word_that_nobody_knows_means_that_it_still_runs(adapter: Adapter, wiro: Wiro, fault: Fault):
    wiro.seconds = 0.01
    wiro.script.next_submit = [fault]
    request = edit(wiro)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress()


async def test_what_is_no_image_is_handed_on_as_it_came(adapter: Adapter, wiro: Wiro):
    wiro.script.next_submit = [Fault.NOT_AN_IMAGE]

    result = await run(adapter, edit(wiro))

    assert result.images[0].content == NOT_AN_IMAGE


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
async def test_a_broken_download_is_tried_again(adapter: Adapter, wiro: Wiro, fault: Fault):
    wiro.script.next_download = [fault]

    result = await run(adapter, edit(wiro))

    assert result.images[0].content == wiro.tasks[0].pictures[0].content
    assert [call.step for call in wiro.calls].count(Step.DOWNLOAD) == 2
