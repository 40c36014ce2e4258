"""What goes wrong when an edit is handed to Wiro, and what it becomes."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from httpx import Headers

from editor.providers.base import ErrorKind, ProviderError
from editor.providers.http import Answer
from editor.providers.wiro import answers
from editor.providers.wiro.adapter import Wiro as Adapter
from tests.emulators.faults import RETRY_AFTER, Fault, Step
from tests.emulators.wiro import Wiro
from tests.providers.clock import waited_for
from tests.providers.edits import is_final, is_temporary, png
from tests.providers.wiro.edits import FLUX_2, edit, failure

RED = png("red")
REFUSALS = [
    (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
    (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
    (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
    (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Internal server error"),
]


@pytest.mark.parametrize(("fault", "kind", "words"), REFUSALS)
@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
async def test_a_refused_submit_or_upload_makes_no_task(
    adapter: Adapter, wiro: Wiro, step: Step, fault: Fault, kind: ErrorKind, words: str
):
    wiro.script.coming(step).append(fault)

    error = await failure(adapter, edit(wiro, FLUX_2, RED))

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after is None
    assert wiro.tasks == []


@pytest.mark.parametrize(
    ("step", "kind"), [(Step.SUBMIT, ErrorKind.UNKNOWN_OUTCOME), (Step.UPLOAD, ErrorKind.UNAVAILABLE)]
)
async def test_a_proxy_cannot_say_that_a_task_was_not_taken(
    adapter: Adapter, wiro: Wiro, step: Step, kind: ErrorKind
):
    wiro.script.coming(step).append(Fault.BAD_GATEWAY)

    assert is_final(await failure(adapter, edit(wiro, FLUX_2, RED)), kind)


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
async def test_a_rate_limit_says_when_to_come_again(adapter: Adapter, wiro: Wiro, step: Step):
    wiro.script.coming(step).append(Fault.RATE_LIMITED_RETRY_AFTER)

    error = await failure(adapter, edit(wiro, FLUX_2, RED))

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == RETRY_AFTER


async def test_an_account_runs_no_more_tasks_than_its_balance_allows(adapter: Adapter, wiro: Wiro):
    wiro.balance, wiro.seconds = 10, 100
    await adapter.submit(edit(wiro))

    assert is_final(await failure(adapter, edit(wiro)), ErrorKind.RATE_LIMITED)


async def test_a_wrong_key_is_told_as_such(adapter: Adapter, wiro: Wiro):
    error = await failure(adapter, edit(wiro, key="wrong"))

    assert is_final(error, ErrorKind.AUTH)
    assert "authorization" not in error.message


async def test_a_refused_input_is_named(adapter: Adapter, wiro: Wiro):
    error = await failure(adapter, edit(wiro, width=32))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "[width] must be between 64 and 2048" in error.message


async def test_a_model_that_is_not_there_leaves_the_edit_to_another_route(adapter: Adapter, wiro: Wiro):
    error = await failure(adapter, edit(wiro, "wiro/gone"))

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "slug-owner-project-not-exist" in error.message


async def test_a_server_that_is_not_wiro_is_unavailable(adapter: Adapter, wiro: Wiro):
    request = edit(wiro)
    elsewhere = replace(request, account=replace(request.account, base_url=f"{wiro.url}/other"))

    assert is_final(await failure(adapter, elsewhere), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("images", [[], [RED]])
async def test_a_refused_connection_left_nothing_behind(adapter: Adapter, wiro: Wiro, images: list[bytes]):
    wiro.stop()

    assert is_final(await failure(adapter, edit(wiro, FLUX_2, *images)), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_answer_is_of_unknown_outcome(
    adapter: Adapter, wiro: Wiro, fault: Fault
):
    wiro.script.next_submit = [fault]

    async with waited_for(fault, once=lambda: wiro.tasks):
        error = await failure(adapter, edit(wiro))

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)
    assert len(wiro.tasks) == 1  # it was taken, and is paid for


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault.CUT, ErrorKind.UNAVAILABLE),
        (Fault.MALFORMED_JSON, ErrorKind.UNAVAILABLE),
        (Fault.HANG, ErrorKind.TIMEOUT),
    ],
)
async def test_an_upload_without_a_clear_answer_has_submitted_nothing(
    adapter: Adapter, wiro: Wiro, fault: Fault, kind: ErrorKind
):
    wiro.script.next_upload = [fault]

    async with waited_for(fault, once=lambda: not wiro.script.next_upload):
        error = await failure(adapter, edit(wiro, FLUX_2, RED))

    assert is_final(error, kind)
    assert wiro.tasks == []


@pytest.mark.parametrize("fault", [Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.RATE_LIMITED])
async def test_a_check_without_a_clear_answer_says_nothing_of_the_key(
    adapter: Adapter, wiro: Wiro, fault: Fault
):
    wiro.script.next_poll = [fault]

    with pytest.raises(ProviderError) as caught:
        await adapter.check(edit(wiro).account)

    assert is_temporary(caught.value, caught.value.kind)


def test_a_page_that_is_not_wiros_says_nothing_of_the_key():
    with pytest.raises(ProviderError) as caught:
        answers.key_works(Answer(200, Headers(), b"<html>Welcome"))

    assert is_temporary(caught.value)


@pytest.mark.parametrize(
    "fault", [Fault.WRONG_KEY, Fault.SERVER_ERROR, Fault.CUT, Fault.MALFORMED_JSON, Fault.BAD_GATEWAY]
)
async def test_neither_key_nor_prompt_is_logged_or_told(
    adapter: Adapter, wiro: Wiro, fault: Fault, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    wiro.script.next_submit = [fault]

    error = await failure(adapter, edit(wiro, prompt="a very private matter"))

    told = f"{error} {error!r} {error.message} {caplog.text}"
    assert wiro.key not in told
    assert str(wiro.secret) not in told
    assert "private matter" not in told
