"""Answers of BFL that its emulator does not give."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from editor.providers.base import ErrorKind, Progress, ProviderError
from editor.providers.bfl import answers
from editor.providers.http import Answer
from tests.providers.edits import is_final, is_temporary


def answer(status: int, body: Any) -> Answer:
    return Answer(status, httpx.Headers(), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("progress", "percent"),
    [(0, 0), (0.4, 40), (1, 100), (None, None), (1.5, None), (-1, None), ("0.5", None), (float("nan"), None)],
)
def test_progress_is_a_fraction(progress: Any, percent: int | None):
    body = {"id": "1", "status": "Pending", "progress": progress}

    assert answers.polled(answer(200, body), age=1) == Progress(percent=percent)


@pytest.mark.parametrize(
    ("seed", "told"), [(1752479754028, 1752479754028), (0, 0), (None, None), (1.5, None), (True, None)]
)
def test_the_seed_is_told_where_it_is_a_whole_number(seed: Any, told: int | None):
    body = {"status": "Ready", "result": {"sample": "https://a/1", "seed": seed}}

    assert answers.polled(answer(200, body), age=1) == answers.Ready("https://a/1", told)


@pytest.mark.parametrize("result", [None, [], "x", {}, {"sample": None}, {"sample": ""}, {"sample": ["x"]}])
def test_ready_without_a_link_is_a_failure(result: Any):
    with pytest.raises(ProviderError, match="returned no image") as caught:
        answers.polled(answer(200, {"status": "Ready", "result": result}), age=1)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


@pytest.mark.parametrize("status", ["Error", "Failed"])
@pytest.mark.parametrize(
    ("details", "words"),
    [({"error": "out of memory"}, "out of memory"), ("out of memory", "out of memory"), (None, ""), ([], "")],
)
def test_a_failure_is_told_in_the_providers_words(status: str, details: Any, words: str):
    with pytest.raises(ProviderError) as caught:
        answers.polled(answer(200, {"status": status, "details": details}), age=1)

    assert is_final(caught.value, ErrorKind.UNAVAILABLE)
    assert words in caught.value.message


@pytest.mark.parametrize("details", [None, {}, {"Moderation Reasons": "Violence"}, "x"])
def test_moderation_needs_no_reasons(details: Any):
    with pytest.raises(ProviderError) as caught:
        answers.polled(answer(200, {"status": "Content Moderated", "details": details}), age=1)

    assert is_final(caught.value, ErrorKind.MODERATED)


@pytest.mark.parametrize("body", [None, [], {}, {"id": None}, {"id": ""}, {"id": 5}])
def test_a_submit_whose_answer_has_no_id_is_of_unknown_outcome(body: Any):
    with pytest.raises(ProviderError) as caught:
        answers.submitted(answer(200, body))

    assert is_final(caught.value, ErrorKind.UNKNOWN_OUTCOME)


@pytest.mark.parametrize("body", [None, {}, {"credits": "many"}, {"credits": True}])
def test_credits_that_are_no_number_are_asked_for_again(body: Any):
    with pytest.raises(ProviderError) as caught:
        answers.credits_left(answer(200, body))

    assert is_temporary(caught.value)
