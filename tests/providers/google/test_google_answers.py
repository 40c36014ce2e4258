"""Responses of Google that its emulator does not send."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from editor.providers.base import ErrorKind
from editor.providers.google import answers
from editor.providers.http import Answer
from tests.providers.calls import answer, raised
from tests.providers.edits import is_final, is_temporary


def error_of(status: int, name: str, message: str = "Words.", *details: dict[str, Any]) -> Answer:
    body = {"error": {"code": status, "message": message, "status": name, "details": list(details)}}
    return answer(status, body)


def test_the_last_image_that_is_not_a_thought_is_the_result():
    def part(content: bytes, **more: object) -> dict[str, object]:
        return {"inlineData": {"mimeType": "image/png", "data": b64encode(content).decode()}, **more}

    drafts = [{"text": "Drafting"}, part(b"first"), part(b"last"), part(b"draft", thought=True)]
    body = {"candidates": [{"content": {"parts": [*drafts, {"text": "Done."}]}}]}
    made = answers.made(answer(200, body))

    assert isinstance(made, answers.Made)
    assert (made.image.content, made.id) == (b"last", "")


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [
        (error_of(400, "INVALID_ARGUMENT", "API key expired. Please renew the API key."), ErrorKind.AUTH),
        (error_of(400, "FAILED_PRECONDITION", "User location is not supported."), ErrorKind.UNAVAILABLE),
        (error_of(499, "CANCELLED"), ErrorKind.UNKNOWN_OUTCOME),
        (error_of(504, "DEADLINE_EXCEEDED"), ErrorKind.TIMEOUT),
        (answer(504, b"<html>"), ErrorKind.UNKNOWN_OUTCOME),
        (answer(403, b"<html>"), ErrorKind.AUTH),
    ],
)
def test_the_error_status_takes_precedence_over_the_http_status(refusal: Answer, kind: ErrorKind):
    assert is_final(answers.refused(refusal), kind)


@pytest.mark.parametrize(
    ("message", "details", "kind", "retry_after"),
    [
        ("Quota exceeded, limit: 0, model: x", [], ErrorKind.INSUFFICIENT_FUNDS, None),
        (
            "Quota.",
            [{"violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]}],
            ErrorKind.INSUFFICIENT_FUNDS,
            None,
        ),
        ("Quota.", [{"retryDelay": "38.5s"}], ErrorKind.RATE_LIMITED, 38.5),
        ("Quota.", [{"retryDelay": "soon"}], ErrorKind.RATE_LIMITED, None),
        ("Quota.", [{"retryDelay": "9" * 400 + "s"}], ErrorKind.RATE_LIMITED, None),
        ("Quota.", [{"violations": None}, {"violations": [None]}], ErrorKind.RATE_LIMITED, None),
    ],
)
def test_an_exhausted_quota_is_not_a_rate_limit(
    message: str, details: list[dict[str, Any]], kind: ErrorKind, retry_after: float | None
):
    error = answers.refused(error_of(429, "RESOURCE_EXHAUSTED", message, *details))

    assert is_final(error, kind)
    assert error.retry_after == retry_after


def test_a_rate_limited_check_may_be_retried():
    refusal = error_of(429, "RESOURCE_EXHAUSTED", "Quota.", {"retryDelay": "2s"})

    error = answers.refused(refusal, asking=True)

    assert is_temporary(error, ErrorKind.RATE_LIMITED)
    assert error.retry_after == 2
    assert is_temporary(answers.refused(error_of(504, "DEADLINE_EXCEEDED"), asking=True))


def image_part(blob: object) -> dict[str, Any]:
    return {"candidates": [{"content": {"parts": [{"inlineData": blob}]}, "finishReason": "STOP"}]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"<html>",
        image_part({"mimeType": "image/png"}),
        image_part({"mimeType": "image/png", "data": "?"}),
        image_part({"mimeType": "image/png", "data": None}),
    ],
)
def test_an_unreadable_success_has_an_unknown_outcome(body: object):
    assert is_final(raised(answers.made, answer(200, body)), ErrorKind.UNKNOWN_OUTCOME)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"candidates": None},
        {"candidates": [None]},
        {"candidates": [{}]},
        {"candidates": [{"content": None}]},
        {"candidates": [{"content": {"parts": "text"}}]},
        image_part(None),
    ],
)
def test_a_response_with_missing_parts_means_that_no_image_was_made(body: object):
    assert answers.made(answer(200, body)) == answers.NotMade("The provider returned no image.")
