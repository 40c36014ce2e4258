"""What goes wrong at fal, and what it becomes."""

from __future__ import annotations

import logging
import time
from dataclasses import replace

import pytest

from editor.providers.base import (
    Account,
    EditRequest,
    ErrorKind,
    Progress,
    ProviderError,
    Result,
    Submitted,
)
from editor.providers.fal.adapter import Fal as Adapter
from tests.emulators.fal import Fal
from tests.emulators.faults import NOT_AN_IMAGE, RETRY_AFTER, Fault, Step
from tests.providers.clock import waited_for
from tests.providers.edits import edit, finish, is_final, is_temporary, png, run

KONTEXT = "fal-ai/flux-pro/kontext"
FLUX_2 = "fal-ai/flux-2-pro/edit"
PHOTO = png()


async def failure(adapter: Adapter, request: EditRequest, task: Submitted | None = None) -> ProviderError:
    """Of the submit, or of the first poll that is not just progress."""
    with pytest.raises(ProviderError) as caught:
        if task is None:
            await adapter.submit(request)
        else:
            await finish(adapter, request, task)
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.FORBIDDEN, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Internal server error"),
        (Fault.BAD_GATEWAY, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),  # a proxy's word
    ],
)
async def test_a_refused_submit_makes_no_task(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind, words: str
):
    fal.script.next_submit = [fault]

    error = await failure(adapter, edit(fal, KONTEXT, PHOTO))

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after is None
    assert fal.tasks == []


async def test_a_rate_limit_says_when_to_come_again(adapter: Adapter, fal: Fal):
    fal.script.next_submit = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, edit(fal, KONTEXT, PHOTO))

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


@pytest.mark.parametrize("key", ["wrong", ""])
async def test_a_wrong_key_is_told_as_such(adapter: Adapter, fal: Fal, key: str):
    assert is_final(await failure(adapter, edit(fal, KONTEXT, PHOTO, key=key)), ErrorKind.AUTH)


async def test_a_model_that_is_not_served_there_is_unavailable(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    elsewhere = replace(request, account=Account(base_url=f"{fal.url}/other", key=fal.key))

    error = await failure(adapter, elsewhere)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "does not offer this model" in error.message


async def test_a_refused_connection_left_nothing_behind(adapter: Adapter, fal: Fal):
    fal.stop()

    assert is_final(await failure(adapter, edit(fal, KONTEXT, PHOTO)), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_answer_is_of_unknown_outcome(
    adapter: Adapter, fal: Fal, fault: Fault
):
    fal.script.next_submit = [fault]

    async with waited_for(fault, once=lambda: fal.tasks):
        error = await failure(adapter, edit(fal, KONTEXT, PHOTO))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert len(fal.tasks) == 1  # it was taken, and is paid for


SPOILT = [
    (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED),
    (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE),
    (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE),
    (Fault.CUT, ErrorKind.UNAVAILABLE),
    (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
    (Fault.HANG, ErrorKind.TIMEOUT),
    (Fault.NOT_FOUND_YET, ErrorKind.UNAVAILABLE),
]


@pytest.mark.parametrize(("fault", "kind"), SPOILT)
async def test_a_status_without_a_clear_answer_is_asked_again(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind
):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.script.next_poll = [fault]

    async with waited_for(fault, once=lambda: not fal.script.next_poll):
        error = await failure(adapter, request, task)
    assert is_temporary(error, kind)
    assert isinstance(await finish(adapter, request, task), Result)


@pytest.mark.parametrize(("fault", "kind"), SPOILT)
async def test_a_result_without_a_clear_answer_is_asked_again(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind
):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.ahead += 1
    fal.script.next_poll = [None, fault]

    async with waited_for(fault, once=lambda: not fal.script.next_poll):
        error = await failure(adapter, request, task)
    assert is_temporary(error, kind)
    assert isinstance(await adapter.poll(request, task), Result)


async def test_a_refused_connection_at_a_poll_is_asked_again(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.stop()

    assert is_temporary(await failure(adapter, request, task))

    fal.start()
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_rate_limited_poll_says_when_to_come_again(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.script.next_poll = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, request, task)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_a_result_that_is_later_than_its_status_is_waited_for(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.ahead += 1
    fal.script.next_poll = [None, Fault.NEVER_FINISHES]

    assert await adapter.poll(request, task) == Progress()
    assert isinstance(await adapter.poll(request, task), Result)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(Fault.WRONG_KEY, ErrorKind.AUTH), (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS)],
)
async def test_an_account_that_was_closed_meanwhile_ends_the_task(
    adapter: Adapter, fal: Fal, fault: Fault, kind: ErrorKind
):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.script.next_poll = [fault]

    assert is_final(await failure(adapter, request, task), kind)


async def test_a_task_that_stays_unknown_is_given_up(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    earlier = Submitted(task.task_id, {**task.state, "submitted_at": time.time() - 31})
    fal.script.next_poll = [Fault.NOT_FOUND_YET]

    error = await failure(adapter, request, earlier)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "no longer knows this edit" in error.message


@pytest.mark.parametrize("target", [KONTEXT, FLUX_2])
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "flagged by a content checker"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "safety filter"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "Internal server error"),
        (Fault.OVERLOADED, ErrorKind.UNAVAILABLE, "No runner could be scheduled"),
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "returned no image"),
        (Fault.LINK_NOT_FOUND, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.LINK_EXPIRED, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.HUGE, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
        (Fault.HUGE_UNANNOUNCED, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
    ],
)
async def test_a_task_that_ends_badly_is_over(
    adapter: Adapter, fal: Fal, target: str, fault: Fault, kind: ErrorKind, words: str
):
    fal.script.next_submit = [fault]
    request = edit(fal, target, PHOTO)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, kind)
    assert words in error.message


async def test_the_models_words_about_an_input_are_told(adapter: Adapter, fal: Fal):
    request = edit(fal, FLUX_2, PHOTO, width=20_000, height=20_000)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "less than or equal to 14142" in error.message


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES])
async def test_a_word_that_nobody_knows_means_that_it_still_runs(adapter: Adapter, fal: Fal, fault: Fault):
    fal.script.next_submit = [fault]
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.ahead += 3600

    assert isinstance(await adapter.poll(request, task), Progress)


async def test_files_that_were_deleted_meanwhile_are_told(adapter: Adapter, fal: Fal):
    request = edit(fal, KONTEXT, PHOTO)
    task = await adapter.submit(request)
    fal.ahead += 25 * 3600

    error = await failure(adapter, request, task)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "expired" in error.message


async def test_what_is_no_image_is_handed_on_as_it_came(adapter: Adapter, fal: Fal):
    fal.script.next_submit = [Fault.NOT_AN_IMAGE]

    result = await run(adapter, edit(fal, KONTEXT, PHOTO))

    assert result.images[0].content == NOT_AN_IMAGE


async def test_a_broken_download_is_tried_again(adapter: Adapter, fal: Fal):
    fal.script.next_download = [Fault.CUT]

    result = await run(adapter, edit(fal, KONTEXT, PHOTO))

    assert result.images[0].content == fal.tasks[0].pictures[0].content
    assert [call.step for call in fal.calls].count(Step.DOWNLOAD) == 2


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.CUT])
async def test_the_check_of_a_key_fails_as_other_questions_do(adapter: Adapter, fal: Fal, fault: Fault):
    fal.script.next_upload = [fault]

    with pytest.raises(ProviderError) as caught:
        await adapter.check(Account(base_url=fal.url, key=fal.key))

    assert is_temporary(caught.value)


@pytest.mark.parametrize(
    "fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.CUT, Fault.MALFORMED_JSON, Fault.BAD_GATEWAY]
)
async def test_neither_key_nor_prompt_is_logged_or_told(
    adapter: Adapter, fal: Fal, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    fal.script.next_submit = [fault]

    error = await failure(adapter, edit(fal, KONTEXT, PHOTO, prompt="a very private matter"))

    told = f"{error} {error!r} {error.message} {caplog.text}"
    assert fal.key not in told
    assert "private matter" not in told
