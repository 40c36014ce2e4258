"""Edits at OpenAI that fail: what each failure means for the portal, and what people read."""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
import pytest

from editor.providers import http
from editor.providers.base import Account, ErrorKind, ProviderError, Result
from editor.providers.http import Answer
from editor.providers.openai import answers
from editor.providers.openai.adapter import OpenAi as Adapter
from tests.emulators.faults import NOT_AN_IMAGE, Fault
from tests.emulators.openai import OpenAi
from tests.providers.clock import running_fast
from tests.providers.edits import edit, is_final, is_temporary, png

SUNBURST = "gpt-image-2.6-sunburst"
RED = png("red")


async def refused(adapter: Adapter, openai: OpenAi, *faults: Fault, **inputs: Any) -> ProviderError:
    openai.script.next_submit = list(faults)
    with pytest.raises(ProviderError) as caught:
        await adapter.submit(edit(openai, SUNBURST, RED, **inputs))
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (Fault.WRONG_KEY, ErrorKind.AUTH, "did not accept the API key"),
        (Fault.FORBIDDEN, ErrorKind.AUTH, "organization of this API key to be verified"),
        (Fault.OUT_OF_FUNDS, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.SPEND_CAP, ErrorKind.INSUFFICIENT_FUNDS, "no funds left"),
        (Fault.RATE_LIMITED, ErrorKind.RATE_LIMITED, "provider is busy"),
        (Fault.SERVER_ERROR, ErrorKind.UNAVAILABLE, "The server had an error"),
        (Fault.OVERLOADED, ErrorKind.UNAVAILABLE, "currently overloaded"),
        (Fault.BAD_GATEWAY, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),  # a proxy's word
        (Fault.PROMPT_MODERATED, ErrorKind.MODERATED, "rejected by the safety system"),
        (Fault.RESULT_MODERATED, ErrorKind.MODERATED, "rejected by the safety system"),
        (Fault.FAILED, ErrorKind.UNAVAILABLE, "The server had an error"),
        (Fault.CUT, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),
        (Fault.MALFORMED_JSON, ErrorKind.UNKNOWN_OUTCOME, "it is unknown"),
        (Fault.HUGE, ErrorKind.UNKNOWN_OUTCOME, "larger than 256 MB"),
    ],
)
async def test_each_failure_is_told_by_its_kind(
    adapter: Adapter, openai: OpenAi, fault: Fault, kind: ErrorKind, words: str
):
    error = await refused(adapter, openai, fault)

    assert is_final(error, kind)
    assert words in error.message
    assert error.retry_after is None
    assert openai.key not in error.message
    assert len(openai.calls) == 1  # never sent again


async def test_a_rate_limit_may_tell_when_to_come_back(adapter: Adapter, openai: OpenAi):
    error = await refused(adapter, openai, Fault.RATE_LIMITED_RETRY_AFTER)

    assert is_final(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == 1


@pytest.mark.parametrize("fault", [Fault.HANG, Fault.NEVER_FINISHES])
async def test_an_answer_that_never_comes_leaves_the_outcome_unknown(
    adapter: Adapter, openai: OpenAi, fault: Fault
):
    async with running_fast(once=lambda: openai.tasks):
        error = await refused(adapter, openai, fault)

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)


async def test_nothing_was_sent_where_nobody_listens(adapter: Adapter, openai: OpenAi):
    request = edit(openai, SUNBURST, RED)
    openai.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.submit(request)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


async def test_an_answer_of_unannounced_size_is_not_read_to_its_end(
    adapter: Adapter, openai: OpenAi, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(http, "ANSWER_BYTES", 2 * 1024**2)

    error = await refused(adapter, openai, Fault.HUGE_UNANNOUNCED)

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)  # it was made, and is paid for
    assert "larger than 2 MB" in error.message


async def test_an_answer_without_an_image_is_handed_on_as_such(adapter: Adapter, openai: OpenAi):
    openai.script.next_submit = [Fault.EMPTY_RESULT]

    submitted = await adapter.submit(edit(openai, SUNBURST, RED))

    assert submitted.result == Result(images=())
    assert len(openai.tasks) == 1


async def test_what_is_no_image_is_handed_on_for_the_portal_to_refuse(adapter: Adapter, openai: OpenAi):
    openai.script.next_submit = [Fault.NOT_AN_IMAGE]

    submitted = await adapter.submit(edit(openai, SUNBURST, RED))

    assert submitted.result is not None
    assert submitted.result.images[0].content == NOT_AN_IMAGE


async def test_what_openai_finds_wrong_with_an_edit_is_quoted(adapter: Adapter, openai: OpenAi):
    error = await refused(adapter, openai, background="transparent", outputFormat="jpeg")

    assert is_final(error, ErrorKind.INVALID_INPUT)
    assert "Transparent backgrounds need output_format" in error.message
    assert openai.tasks == []


async def test_a_model_that_is_gone_leaves_the_edit_to_another_route(adapter: Adapter, openai: OpenAi):
    with pytest.raises(ProviderError) as caught:
        await adapter.submit(edit(openai, "gpt-image-1"))

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert "gpt-image-1" in caught.value.message


async def test_a_wrong_key_is_refused_in_edit_and_check(
    adapter: Adapter, openai: OpenAi, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    with pytest.raises(ProviderError) as edited:
        await adapter.submit(edit(openai, SUNBURST, key="sk-planted"))
    with pytest.raises(ProviderError) as checked:
        await adapter.check(Account(openai.url, "sk-planted"))

    for error in (edited.value, checked.value):
        assert is_final(error, ErrorKind.AUTH)
        assert "sk-planted" not in repr(error) + error.message
    assert "sk-planted" not in caplog.text


async def test_a_check_that_gets_no_answer_may_be_made_again(adapter: Adapter, openai: OpenAi):
    openai.stop()

    with pytest.raises(ProviderError) as caught:
        await adapter.check(Account(openai.url, openai.key))

    assert is_temporary(caught.value)


def answer(status: int, body: object, **headers: str) -> Answer:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.Headers(named), content)


def error_of(status: int, code: str | None, kind: str = "invalid_request_error", **headers: str) -> Answer:
    body = {"error": {"message": "Words.", "type": kind, "param": None, "code": code}}
    return answer(status, body, **headers)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "content_policy_violation", ErrorKind.MODERATED),
        (429, "credit_balance_exhausted", ErrorKind.INSUFFICIENT_FUNDS),
        (429, "organization_spend_limit_exceeded", ErrorKind.INSUFFICIENT_FUNDS),
        (429, "project_spend_limit_exceeded", ErrorKind.INSUFFICIENT_FUNDS),
        (429, "organization_usage_limit_exceeded", ErrorKind.INSUFFICIENT_FUNDS),
        (429, "slow_down", ErrorKind.RATE_LIMITED),
        (403, "unsupported_country_region_territory", ErrorKind.UNAVAILABLE),
        (403, None, ErrorKind.AUTH),
        (400, "invalid_image_file", ErrorKind.INVALID_INPUT),
        (504, None, ErrorKind.UNKNOWN_OUTCOME),
    ],
)
def test_the_code_goes_before_the_status(status: int, code: str | None, kind: ErrorKind):
    assert is_final(answers.refused(error_of(status, code)), kind)


def test_a_quota_is_known_by_its_type_where_the_code_is_new():
    error = answers.refused(error_of(429, "some_new_limit", "insufficient_quota"))
    assert error.kind is ErrorKind.INSUFFICIENT_FUNDS


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after_ms": "1500", "retry_after": "2"}, 1.5),
        ({"retry_after": "2"}, 2.0),
        ({"retry_after_ms": "soon"}, None),
        ({"retry_after_ms": "9" * 5000, "retry_after": "2"}, 2.0),
    ],
)
def test_milliseconds_are_the_more_exact_wait(headers: dict[str, str], seconds: float | None):
    assert answers.refused(error_of(429, "slow_down", **headers)).retry_after == seconds


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        {"data": None},
        {"data": {}},
        {"data": [{}]},
        {"data": [None]},
        {"data": [{"b64_json": None}]},
        {"data": [{"b64_json": "?"}]},
    ],
)
def test_a_success_that_cannot_be_read_leaves_the_outcome_unknown(body: object):
    with pytest.raises(ProviderError) as caught:
        answers.result(answer(200, body), most=1)

    assert is_final(caught.value, ErrorKind.UNKNOWN_OUTCOME)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", ErrorKind.UNKNOWN_OUTCOME),
        (b"<html>", ErrorKind.UNKNOWN_OUTCOME),
        (b"null", ErrorKind.UNKNOWN_OUTCOME),
        ({"error": None}, ErrorKind.UNAVAILABLE),
        ({"error": "text"}, ErrorKind.UNAVAILABLE),
    ],
)
def test_a_refusal_that_cannot_be_read_goes_by_its_status(body: object, kind: ErrorKind):
    assert is_final(answers.refused(answer(500, body)), kind)
    assert is_temporary(answers.refused(answer(500, body), asking=True))


def test_a_list_of_models_that_cannot_be_read_may_be_asked_for_again():
    with pytest.raises(ProviderError) as caught:
        answers.models_offered(answer(200, b"<html>"))

    assert is_temporary(caught.value)
