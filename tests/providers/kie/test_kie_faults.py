"""What goes wrong with a task at kie, and what it becomes."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from editor.providers.base import (
    ErrorKind,
    Progress,
    Result,
    Submitted,
)
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.faults import NOT_AN_IMAGE, RETRY_AFTER, Fault, Step
from tests.emulators.kie import Kie
from tests.providers.clock import waited_for
from tests.providers.edits import edit, finish, image, is_final, is_temporary, png, run
from tests.providers.kie.edits import BOTH_APIS, FLUX_2, failure

RED = png("red")


@BOTH_APIS
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
    adapter: Adapter, kie: Kie, target: str, fault: Fault, kind: ErrorKind
):
    request = edit(kie, target)
    task = await adapter.submit(request)
    kie.script.next_poll = [fault]

    async with waited_for(fault, once=lambda: not kie.script.next_poll):
        error = await failure(adapter, request, task)

    assert is_temporary(error, kind)
    assert error.retry_after == (10 if kind is ErrorKind.RATE_LIMITED else None)
    assert isinstance(await finish(adapter, request, task), Result)


async def test_maintenance_at_a_poll_passes(adapter: Adapter, kie: Kie):
    kie.error_code = 455
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.SERVER_ERROR]

    assert is_temporary(await failure(adapter, request, task))


async def test_a_refused_connection_at_a_poll_is_asked_again(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.stop()

    assert is_temporary(await failure(adapter, request, task))

    kie.start()
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_rate_limited_poll_says_when_to_come_again(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, request, task)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_a_key_that_was_revoked_meanwhile_ends_the_task(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.WRONG_KEY]

    assert is_final(await failure(adapter, request, task), ErrorKind.AUTH)


@BOTH_APIS
async def test_a_task_that_stays_unknown_is_given_up(adapter: Adapter, kie: Kie, target: str):
    request = edit(kie, target)
    task = await adapter.submit(request)
    earlier = Submitted(task.task_id, {"submitted_at": time.time() - 31})
    kie.script.next_poll = [Fault.NOT_FOUND_YET]

    error = await failure(adapter, request, earlier)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "no longer knows this task" in error.message


@BOTH_APIS
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "violating content policies"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "blocked by the upstream safety filter"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "Internal server error"),
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "returned no image"),
        (Fault.LINK_NOT_FOUND, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.LINK_EXPIRED, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.HUGE, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
        (Fault.HUGE_UNANNOUNCED, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
    ],
)
async def test_a_task_that_ends_badly_is_over(
    adapter: Adapter, kie: Kie, target: str, fault: Fault, kind: ErrorKind, words: str
):
    kie.script.next_submit = [fault]
    request = edit(kie, target)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, kind)
    assert words in error.message


@pytest.mark.parametrize("text", ["", '{"resultUrls":', "{}", "[]", '{"resultUrls":[7]}'])
async def test_a_result_that_nobody_can_read_is_none(adapter: Adapter, kie: Kie, text: str):
    kie.empty_result = text
    kie.script.next_submit = [Fault.EMPTY_RESULT]
    request = edit(kie, FLUX_2)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message


async def test_a_picture_that_kie_cannot_read_fails_the_task(adapter: Adapter, kie: Kie):
    request = replace(edit(kie, FLUX_2), images=(replace(image(RED), load=_nonsense),))

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "Image fetch failed" in error.message


async def _nonsense() -> bytes:
    return b"no image"


async def test_a_result_that_was_left_for_too_long_is_gone(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    task = await adapter.submit(request)
    kie.ahead = 15 * 86400

    assert is_final(await failure(adapter, request, task), ErrorKind.UNAVAILABLE)


@BOTH_APIS
@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES])
async def test_a_word_that_nobody_knows_means_that_it_still_runs(
    adapter: Adapter, kie: Kie, target: str, fault: Fault
):
    kie.seconds = 0.01
    kie.script.next_submit = [fault]
    request = edit(kie, target)
    task = await adapter.submit(request)

    assert await adapter.poll(request, task) == Progress()


async def test_what_is_no_image_is_handed_on_as_it_came(adapter: Adapter, kie: Kie):
    kie.script.next_submit = [Fault.NOT_AN_IMAGE]

    result = await run(adapter, edit(kie, FLUX_2))

    assert result.images[0].content == NOT_AN_IMAGE


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
async def test_a_broken_download_is_tried_again(adapter: Adapter, kie: Kie, fault: Fault):
    kie.real_status = True
    kie.script.next_download = [fault]

    result = await run(adapter, edit(kie, FLUX_2))

    assert result.images[0].content == kie.tasks[0].pictures[0].content
    assert [call.step for call in kie.calls].count(Step.DOWNLOAD) == 2
