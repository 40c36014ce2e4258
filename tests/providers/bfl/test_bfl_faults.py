"""What goes wrong at BFL, and what it becomes."""

from __future__ import annotations

import logging
import time

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
from editor.providers.bfl.adapter import Bfl as Adapter
from tests.emulators.bfl import Bfl
from tests.emulators.faults import NOT_AN_IMAGE, RETRY_AFTER, Fault, Step
from tests.providers.clock import waited_for
from tests.providers.edits import edit, finish, is_final, is_temporary, png, run

MODEL = "flux-2-pro"
WRONG_KEY = "0f0e0d0c-0b0a-4908-8706-050403020199"


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
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Internal Server Error"),
        (Fault.BAD_GATEWAY, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),  # a proxy's word
    ],
)
async def test_a_refused_submit_makes_no_task(
    adapter: Adapter, bfl: Bfl, fault: Fault, kind: ErrorKind, words: str
):
    bfl.script.next_submit = [fault]

    error = await failure(adapter, edit(bfl, MODEL))

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after is None
    assert bfl.tasks == []


async def test_a_rate_limit_says_when_to_come_again(adapter: Adapter, bfl: Bfl):
    bfl.script.next_submit = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, edit(bfl, MODEL))

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


@pytest.mark.parametrize("key", [WRONG_KEY, "no such form", ""])
async def test_a_wrong_key_is_told_as_such(adapter: Adapter, bfl: Bfl, key: str):
    error = await failure(adapter, edit(bfl, MODEL, key=key))

    assert is_final(error, ErrorKind.AUTH)
    assert "Invalid" not in error.message


async def test_a_refused_field_is_named(adapter: Adapter, bfl: Bfl):
    error = await failure(adapter, edit(bfl, MODEL, width=1))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "width: Input should be greater than or equal to 64" in error.message


async def test_a_bad_picture_is_named(adapter: Adapter, bfl: Bfl):
    small = png(size=(64, 64))

    error = await failure(adapter, edit(bfl, "flux-pro-1.0-fill", small, mask=small))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "The image in image is too large or too small" in error.message


async def test_a_model_that_is_not_served_there_is_unavailable(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, MODEL)
    elsewhere = EditRequest(
        **{name: getattr(request, name) for name in ("job_id", "tenant", "model", "target", "prompt")},
        account=Account(base_url=f"{bfl.url}/other", key=bfl.key),
    )

    error = await failure(adapter, elsewhere)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "does not offer this model" in error.message


async def test_a_refused_connection_left_nothing_behind(adapter: Adapter, bfl: Bfl):
    bfl.stop()

    assert is_final(await failure(adapter, edit(bfl, MODEL)), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_answer_is_of_unknown_outcome(
    adapter: Adapter, bfl: Bfl, fault: Fault
):
    bfl.script.next_submit = [fault]

    async with waited_for(fault, once=lambda: bfl.tasks):
        error = await failure(adapter, edit(bfl, MODEL))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert len(bfl.tasks) == 1  # it was taken, and is paid for


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
    adapter: Adapter, bfl: Bfl, fault: Fault, kind: ErrorKind
):
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)
    bfl.script.next_poll = [fault]

    async with waited_for(fault, once=lambda: not bfl.script.next_poll):
        error = await failure(adapter, request, task)
    assert is_temporary(error, kind)
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_refused_connection_at_a_poll_is_asked_again(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)
    bfl.stop()

    assert is_temporary(await failure(adapter, request, task))

    bfl.start()
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_rate_limited_poll_says_when_to_come_again(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)
    bfl.script.next_poll = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, request, task)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_a_key_that_was_revoked_meanwhile_ends_the_task(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)
    bfl.script.next_poll = [Fault.WRONG_KEY]

    assert is_final(await failure(adapter, request, task), ErrorKind.AUTH)


async def test_a_task_that_stays_unknown_is_given_up(adapter: Adapter, bfl: Bfl):
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)
    earlier = Submitted(task.task_id, {**task.state, "submitted_at": time.time() - 31})
    bfl.script.next_poll = [Fault.NOT_FOUND_YET]

    assert is_final(await failure(adapter, request, earlier), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "Violence, Sexual Content, Self Harm"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "Sexual Content"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "Generation failed"),
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "returned no image"),
        (Fault.LINK_NOT_FOUND, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.LINK_EXPIRED, ErrorKind.UNAVAILABLE, "Its link has expired or is broken"),
        (Fault.HUGE, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
        (Fault.HUGE_UNANNOUNCED, ErrorKind.UNAVAILABLE, "larger than 64 MB"),
    ],
)
async def test_a_task_that_ends_badly_is_over(
    adapter: Adapter, bfl: Bfl, fault: Fault, kind: ErrorKind, words: str
):
    bfl.script.next_submit = [fault]
    request = edit(bfl, MODEL)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, kind)
    assert words in error.message


async def test_a_failed_task_may_come_with_a_servers_error_code(adapter: Adapter, bfl: Bfl):
    bfl.failed_status = 503
    bfl.script.next_submit = [Fault.FAILED]
    request = edit(bfl, MODEL)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("fault", [Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES])
async def test_a_word_that_nobody_knows_means_that_it_still_runs(adapter: Adapter, bfl: Bfl, fault: Fault):
    bfl.script.next_submit = [fault]
    request = edit(bfl, MODEL)
    task = await adapter.submit(request)

    assert isinstance(await adapter.poll(request, task), Progress)


async def test_what_is_no_image_is_handed_on_as_it_came(adapter: Adapter, bfl: Bfl):
    bfl.script.next_submit = [Fault.NOT_AN_IMAGE]

    result = await run(adapter, edit(bfl, MODEL))

    assert result.images[0].content == NOT_AN_IMAGE


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
async def test_a_broken_download_is_tried_again(adapter: Adapter, bfl: Bfl, fault: Fault):
    bfl.script.next_download = [fault]

    result = await run(adapter, edit(bfl, MODEL))

    assert result.images[0].content == bfl.tasks[0].pictures[0].content
    assert [call.step for call in bfl.calls].count(Step.DOWNLOAD) == 2


async def test_the_check_of_a_key_fails_as_other_questions_do(adapter: Adapter, bfl: Bfl):
    account = Account(base_url=bfl.url, key=bfl.key)
    bfl.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.check(account)

    assert is_temporary(caught.value)


@pytest.mark.parametrize(
    "fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.CUT, Fault.MALFORMED_JSON, Fault.BAD_GATEWAY]
)
async def test_neither_key_nor_prompt_is_logged_or_told(
    adapter: Adapter, bfl: Bfl, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    bfl.script.next_submit = [fault]

    error = await failure(adapter, edit(bfl, MODEL, prompt="a very private matter"))

    told = f"{error} {error!r} {error.message} {caplog.text}"
    assert bfl.key not in told
    assert "private matter" not in told
