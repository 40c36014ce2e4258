"""Responses of OpenAI that its emulator does not send."""

from __future__ import annotations

import pytest

from editor.providers.base import ErrorKind
from editor.providers.http import Answer
from editor.providers.openai import answers
from tests.providers.calls import answer, raised
from tests.providers.edits import is_final, is_temporary


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
def test_the_code_takes_precedence_over_the_status(status: int, code: str | None, kind: ErrorKind):
    assert is_final(answers.refused(error_of(status, code)), kind)


def test_a_quota_is_recognized_by_its_type_if_the_code_is_new():
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
def test_a_wait_in_milliseconds_takes_precedence(headers: dict[str, str], seconds: float | None):
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
def test_an_unreadable_success_has_an_unknown_outcome(body: object):
    error = raised(answers.result, answer(200, body), most=1)

    assert is_final(error, ErrorKind.UNKNOWN_OUTCOME)


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
def test_an_unreadable_refusal_is_judged_by_its_status(body: object, kind: ErrorKind):
    assert is_final(answers.refused(answer(500, body)), kind)
    assert is_temporary(answers.refused(answer(500, body), asking=True))


def test_an_unreadable_list_of_models_may_be_requested_again():
    assert is_temporary(raised(answers.models_offered, answer(200, b"<html>")))
