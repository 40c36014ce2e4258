"""What goes wrong at kie, and what it becomes."""

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
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.faults import NOT_AN_IMAGE, RETRY_AFTER, Fault, Step
from tests.emulators.kie import Kie
from tests.providers.edits import edit, finish, image, is_final, is_temporary, png, run

RED = png("red")
MODEL = "flux-2/pro-image-to-image"
KONTEXT = "flux-kontext-pro"
BOTH_APIS = pytest.mark.parametrize("target", [MODEL, KONTEXT])


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
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "no more edits for the moment"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Server exception"),
        (Fault.BAD_GATEWAY, ErrorKind.UNAVAILABLE, "The provider failed"),
    ],
)
@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
@pytest.mark.parametrize("real_status", [False, True])
async def test_a_refused_submit_or_upload_makes_no_task(
    adapter: Adapter, kie: Kie, real_status: bool, step: Step, fault: Fault, kind: ErrorKind, words: str
):
    kie.real_status = real_status
    kie.script.coming(step).append(fault)

    error = await failure(adapter, edit(kie, MODEL, RED))

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after == (10 if kind is ErrorKind.RATE_LIMITED else None)
    assert kie.tasks == []


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
async def test_a_rate_limit_says_when_to_come_again(adapter: Adapter, kie: Kie, step: Step):
    kie.script.coming(step).append(Fault.RATE_LIMITED_RETRY_AFTER)

    error = await failure(adapter, edit(kie, MODEL, RED))

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (433, ErrorKind.INSUFFICIENT_FUNDS),
        (455, ErrorKind.UNAVAILABLE),
        (501, ErrorKind.UNAVAILABLE),
        (505, ErrorKind.UNAVAILABLE),
    ],
)
async def test_kies_own_codes_mean_what_they_say(adapter: Adapter, kie: Kie, code: int, kind: ErrorKind):
    kie.error_code = code
    kie.script.next_submit = [Fault.SERVER_ERROR]

    assert is_final(await failure(adapter, edit(kie, MODEL)), kind)


@BOTH_APIS
async def test_a_wrong_key_is_told_as_such(adapter: Adapter, kie: Kie, target: str):
    error = await failure(adapter, edit(kie, target, key="wrong"))

    assert is_final(error, ErrorKind.AUTH)
    assert "permissions" not in error.message


async def test_a_refused_input_is_named(adapter: Adapter, kie: Kie):
    error = await failure(adapter, edit(kie, MODEL, prompt="ab"))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "prompt: String should have at least 3 characters" in error.message


async def test_a_server_that_is_not_kie_is_unavailable(adapter: Adapter, kie: Kie):
    request = edit(kie, MODEL)
    elsewhere = replace(request, account=replace(request.account, base_url=f"{kie.url}/other"))

    assert is_final(await failure(adapter, elsewhere), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("images", [[], [RED]])
async def test_a_refused_connection_left_nothing_behind(adapter: Adapter, kie: Kie, images: list[bytes]):
    kie.stop()

    assert is_final(await failure(adapter, edit(kie, MODEL, *images)), ErrorKind.UNAVAILABLE)


@BOTH_APIS
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_answer_is_of_unknown_outcome(kie: Kie, target: str, fault: Fault):
    kie.script.next_submit = [fault]

    error = await failure(Adapter(submit_seconds=0.3), edit(kie, target))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert len(kie.tasks) == 1  # it was taken, and is paid for


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
    ],
)
async def test_an_upload_without_a_clear_answer_has_submitted_nothing(
    kie: Kie, fault: Fault, kind: ErrorKind
):
    kie.script.next_upload = [fault]

    assert is_final(await failure(Adapter(submit_seconds=0.3), edit(kie, MODEL, RED)), kind)
    assert kie.tasks == []


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
    kie: Kie, target: str, fault: Fault, kind: ErrorKind
):
    adapter = Adapter(ask_seconds=0.3)
    request = edit(kie, target)
    task = await adapter.submit(request)
    kie.script.next_poll = [fault]

    error = await failure(adapter, request, task)

    assert is_temporary(error, kind)
    assert error.retry_after == (10 if kind is ErrorKind.RATE_LIMITED else None)
    assert isinstance(await finish(adapter, request, task), Result)


async def test_maintenance_at_a_poll_passes(adapter: Adapter, kie: Kie):
    kie.error_code = 455
    request = edit(kie, MODEL)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.SERVER_ERROR]

    assert is_temporary(await failure(adapter, request, task))


async def test_a_refused_connection_at_a_poll_is_asked_again(adapter: Adapter, kie: Kie):
    request = edit(kie, MODEL)
    task = await adapter.submit(request)
    kie.stop()

    assert is_temporary(await failure(adapter, request, task))

    kie.start()
    assert isinstance(await finish(adapter, request, task), Result)


async def test_a_rate_limited_poll_says_when_to_come_again(adapter: Adapter, kie: Kie):
    request = edit(kie, MODEL)
    task = await adapter.submit(request)
    kie.script.next_poll = [Fault.RATE_LIMITED_RETRY_AFTER]

    error = await failure(adapter, request, task)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_a_key_that_was_revoked_meanwhile_ends_the_task(adapter: Adapter, kie: Kie):
    request = edit(kie, MODEL)
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
    assert "does not know this task" in error.message


@BOTH_APIS
@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "violating content policies"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "blocked by the upstream safety filter"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "Internal server error"),
        (Fault.EMPTY_RESULT, ErrorKind.UNAVAILABLE, "finished without an image"),
        (Fault.LINK_NOT_FOUND, ErrorKind.UNAVAILABLE, "Its link has expired or leads nowhere"),
        (Fault.LINK_EXPIRED, ErrorKind.UNAVAILABLE, "Its link has expired or leads nowhere"),
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
    request = edit(kie, MODEL)

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "finished without an image" in error.message


async def test_a_picture_that_kie_cannot_read_fails_the_task(adapter: Adapter, kie: Kie):
    request = replace(edit(kie, MODEL), images=(replace(image(RED), load=_nonsense),))

    error = await failure(adapter, request, await adapter.submit(request))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "Image fetch failed" in error.message


async def _nonsense() -> bytes:
    return b"no image"


async def test_a_result_that_was_left_for_too_long_is_gone(adapter: Adapter, kie: Kie):
    request = edit(kie, MODEL)
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

    result = await run(adapter, edit(kie, MODEL))

    assert result.images[0].content == NOT_AN_IMAGE


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.SERVER_ERROR, Fault.BAD_GATEWAY])
async def test_a_broken_download_is_tried_again(adapter: Adapter, kie: Kie, fault: Fault):
    kie.real_status = True
    kie.script.next_download = [fault]

    result = await run(adapter, edit(kie, MODEL))

    assert result.images[0].content == kie.tasks[0].pictures[0].content
    assert [call.step for call in kie.calls].count(Step.DOWNLOAD) == 2


async def test_a_check_that_nobody_answers_says_nothing_of_the_key(adapter: Adapter, kie: Kie):
    account = Account(base_url=kie.url, key=kie.key)
    kie.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.check(account)

    assert is_temporary(caught.value)


@pytest.mark.parametrize(
    "fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.CUT, Fault.MALFORMED_JSON, Fault.BAD_GATEWAY]
)
async def test_neither_key_nor_prompt_is_logged_or_told(
    adapter: Adapter, kie: Kie, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    kie.script.next_submit = [fault]

    error = await failure(adapter, edit(kie, MODEL, prompt="a very private matter"))

    told = f"{error} {error!r} {error.message} {caplog.text}"
    assert kie.key not in told
    assert "private matter" not in told
