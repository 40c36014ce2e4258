"""Responses of fal that its emulator does not send."""

from __future__ import annotations

from typing import Any

import pytest

from editor.providers.base import ErrorKind, Progress
from editor.providers.fal import answers
from editor.providers.http import Answer
from tests.providers.calls import answer, raised
from tests.providers.edits import is_final, is_temporary


def logs(*messages: Any) -> Answer:
    return answer(202, {"status": "IN_PROGRESS", "logs": [{"message": message} for message in messages]})


@pytest.mark.parametrize(
    ("lines", "percent"),
    [
        (("step 14/28",), 50),
        (("step 14/28", "loading weights"), 50),
        ((" 25%|##5       | 7/28 [00:02<00:06,  3.1it/s]",), 25),
        (("30/28",), 100),
        (("1/0",), None),
        (("see https://fal.ai/docs",), None),
        ((None, 5), None),
        ((), None),
    ],
)
def test_the_newest_line_that_counts_steps_gives_the_percentage(lines: tuple[Any, ...], percent: int | None):
    assert answers.status(logs(*lines), age=1) == Progress(percent=percent)


def test_only_the_images_that_were_not_flagged_are_fetched():
    body = {
        "images": [{"url": "https://a/1"}, {"url": "https://a/2"}],
        "has_nsfw_concepts": [True, False],
        "seed": 7,
    }

    assert answers.result(answer(200, body), age=1) == answers.Output(("https://a/2",), 7)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, {"detail": "Prompt is too long"}, ErrorKind.INVALID_INPUT),
        (422, {"detail": [{"type": "no_media_generated", "msg": "x"}]}, ErrorKind.UNAVAILABLE),
        (400, {"detail": [{"type": "downstream_service_error", "msg": "x"}]}, ErrorKind.UNAVAILABLE),
        (504, {"detail": [{"type": "generation_timeout", "msg": "x"}]}, ErrorKind.UNAVAILABLE),
        (422, {"detail": [{"type": "image_too_small", "msg": "x"}]}, ErrorKind.INVALID_INPUT),
        (422, {"detail": ["?", None]}, ErrorKind.INVALID_INPUT),
        (503, {"detail": "x", "error_type": "runner_disconnected"}, ErrorKind.UNAVAILABLE),
        (400, {"detail": "x", "error_type": "bad_request"}, ErrorKind.INVALID_INPUT),
        (200, {"images": None}, ErrorKind.UNAVAILABLE),
        (200, {"images": [{"url": None}, "?"]}, ErrorKind.UNAVAILABLE),
        (200, [], ErrorKind.UNAVAILABLE),
    ],
)
def test_a_failed_result_is_final(status: int, body: Any, kind: ErrorKind):
    assert is_final(raised(answers.result, answer(status, body), age=1), kind)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (500, ErrorKind.UNAVAILABLE),
        (503, ErrorKind.UNAVAILABLE),
        (502, ErrorKind.UNKNOWN_OUTCOME),
        (504, ErrorKind.UNKNOWN_OUTCOME),
    ],
)
def test_a_submit_that_timed_out_at_a_gateway_may_have_been_accepted(status: int, kind: ErrorKind):
    for body in ({"detail": "x"}, {"detail": [{"type": "generation_timeout", "msg": "x"}]}):
        assert is_final(answers.refused(answer(status, body)), kind)


def test_an_internal_error_of_a_result_is_retried():
    body = {"detail": "x", "error_type": "internal_error"}

    assert is_temporary(raised(answers.result, answer(500, body), age=1))


@pytest.mark.parametrize("missing", ["request_id", "status_url", "response_url", "cancel_url"])
def test_a_submit_whose_response_lacks_a_field_has_an_unknown_outcome(missing: str):
    reported = dict.fromkeys(("request_id", "status_url", "response_url", "cancel_url"), "x")

    assert is_final(
        raised(answers.submitted, answer(200, reported | {missing: None})), ErrorKind.UNKNOWN_OUTCOME
    )


def test_an_upload_that_timed_out_at_a_proxy_is_temporary():
    assert is_temporary(raised(answers.upload, answer(504, None)))


@pytest.mark.parametrize(
    "body", [None, {}, {"upload_url": "https://a/1"}, {"upload_url": 1, "file_url": "x"}]
)
def test_an_upload_without_a_url_is_an_error(body: Any):
    assert is_final(raised(answers.upload, answer(200, body)), ErrorKind.UNAVAILABLE)
