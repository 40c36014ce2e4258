"""What goes wrong when an edit is handed to kie, and what it becomes."""

from __future__ import annotations

import logging
from dataclasses import replace

import httpx
import pytest

from editor.providers.base import (
    Account,
    ErrorKind,
    ProviderError,
)
from editor.providers.http import Answer
from editor.providers.kie import answers
from editor.providers.kie.adapter import Kie as Adapter
from tests.emulators.faults import RETRY_AFTER, Fault, Step
from tests.emulators.kie import Kie
from tests.providers.clock import waited_for
from tests.providers.edits import edit, is_final, is_temporary, png
from tests.providers.kie.edits import BOTH_APIS, FLUX_2, failure

RED = png("red")


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "Server exception"),
    ],
)
@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
@pytest.mark.parametrize("real_status", [False, True])
async def test_a_refused_submit_or_upload_makes_no_task(
    adapter: Adapter, kie: Kie, real_status: bool, step: Step, fault: Fault, kind: ErrorKind, words: str
):
    kie.real_status = real_status
    kie.script.coming(step).append(fault)

    error = await failure(adapter, edit(kie, FLUX_2, RED))

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after == (10 if kind is ErrorKind.RATE_LIMITED else None)
    assert kie.tasks == []


@pytest.mark.parametrize(
    ("step", "kind"), [(Step.SUBMIT, ErrorKind.UNKNOWN_OUTCOME), (Step.UPLOAD, ErrorKind.UNAVAILABLE)]
)
async def test_a_proxy_cannot_say_that_a_task_was_not_taken(
    adapter: Adapter, kie: Kie, step: Step, kind: ErrorKind
):
    kie.script.coming(step).append(Fault.BAD_GATEWAY)

    assert is_final(await failure(adapter, edit(kie, FLUX_2, RED)), kind)


@pytest.mark.parametrize("status", [501, 505])
def test_a_proxys_status_is_none_of_kies_codes(status: int):
    answer = Answer(status, httpx.Headers(), b"<html>")

    assert is_final(answers.refusal(answer), ErrorKind.UNKNOWN_OUTCOME)


@pytest.mark.parametrize("step", [Step.SUBMIT, Step.UPLOAD])
async def test_a_rate_limit_says_when_to_come_again(adapter: Adapter, kie: Kie, step: Step):
    kie.script.coming(step).append(Fault.RATE_LIMITED_RETRY_AFTER)

    error = await failure(adapter, edit(kie, FLUX_2, RED))

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

    assert is_final(await failure(adapter, edit(kie, FLUX_2)), kind)


@BOTH_APIS
async def test_a_wrong_key_is_told_as_such(adapter: Adapter, kie: Kie, target: str):
    error = await failure(adapter, edit(kie, target, key="wrong"))

    assert is_final(error, ErrorKind.AUTH)
    assert "permissions" not in error.message


async def test_a_refused_input_is_named(adapter: Adapter, kie: Kie):
    error = await failure(adapter, edit(kie, FLUX_2, prompt="ab"))

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "prompt: String should have at least 3 characters" in error.message


async def test_a_server_that_is_not_kie_is_unavailable(adapter: Adapter, kie: Kie):
    request = edit(kie, FLUX_2)
    elsewhere = replace(request, account=replace(request.account, base_url=f"{kie.url}/other"))

    assert is_final(await failure(adapter, elsewhere), ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("images", [[], [RED]])
async def test_a_refused_connection_left_nothing_behind(adapter: Adapter, kie: Kie, images: list[bytes]):
    kie.stop()

    assert is_final(await failure(adapter, edit(kie, FLUX_2, *images)), ErrorKind.UNAVAILABLE)


@BOTH_APIS
@pytest.mark.parametrize("fault", [Fault.CUT, Fault.MALFORMED_JSON, Fault.HANG])
async def test_a_submit_without_a_clear_answer_is_of_unknown_outcome(
    adapter: Adapter, kie: Kie, target: str, fault: Fault
):
    kie.script.next_submit = [fault]

    async with waited_for(fault, once=lambda: kie.tasks):
        error = await failure(adapter, edit(kie, target))

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
    adapter: Adapter, kie: Kie, fault: Fault, kind: ErrorKind
):
    kie.script.next_upload = [fault]

    async with waited_for(fault, once=lambda: not kie.script.next_upload):
        error = await failure(adapter, edit(kie, FLUX_2, RED))

    assert is_final(error, kind)
    assert kie.tasks == []


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

    error = await failure(adapter, edit(kie, FLUX_2, prompt="a very private matter"))

    told = f"{error} {error!r} {error.message} {caplog.text}"
    assert kie.key not in told
    assert "private matter" not in told
