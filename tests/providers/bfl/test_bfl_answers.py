"""Responses of BFL that its emulator does not send."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from editor.providers.base import ErrorKind, Progress
from editor.providers.bfl import answers
from tests.providers.calls import answer, raised
from tests.providers.edits import is_final, is_temporary


@pytest.mark.parametrize(
    ("progress", "percent"),
    [(0, 0), (0.4, 40), (1, 100), (None, None), (1.5, None), (-1, None), ("0.5", None), (float("nan"), None)],
)
def test_progress_is_a_fraction(progress: Any, percent: int | None):
    body = {"id": "1", "status": "Pending", "progress": progress}

    assert answers.polled(answer(200, body), age=1) == Progress(percent=percent)


@pytest.mark.parametrize(
    ("seed", "reported"), [(1752479754028, 1752479754028), (0, 0), (None, None), (1.5, None), (True, None)]
)
def test_the_seed_is_reported_when_it_is_an_integer(seed: Any, reported: int | None):
    body = {"status": "Ready", "result": {"sample": "https://a/1", "seed": seed}}

    assert answers.polled(answer(200, body), age=1) == answers.Ready("https://a/1", reported)


@pytest.mark.parametrize(("cost", "dollars"), [(4.5, "0.045"), (None, None), ("much", None)])
def test_the_cost_is_told_in_credits_of_a_cent(cost: Any, dollars: str | None):
    body = {"status": "Ready", "result": {"sample": "https://a/1"}, "cost": cost}

    ready = answers.polled(answer(200, body), age=1)
    assert ready == answers.Ready("https://a/1", None, Decimal(dollars) if dollars else None)


@pytest.mark.parametrize("result", [None, [], "x", {}, {"sample": None}, {"sample": ""}, {"sample": ["x"]}])
def test_ready_without_a_link_is_a_failure(result: Any):
    error = raised(answers.polled, answer(200, {"status": "Ready", "result": result}), age=1)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert "returned no image" in error.message


@pytest.mark.parametrize("status", ["Error", "Failed"])
@pytest.mark.parametrize(
    ("details", "text"),
    [({"error": "out of memory"}, "out of memory"), ("out of memory", "out of memory"), (None, ""), ([], "")],
)
def test_a_failure_is_reported_with_the_providers_message(status: str, details: Any, text: str):
    error = raised(answers.polled, answer(200, {"status": status, "details": details}), age=1)

    assert is_final(error, ErrorKind.UNAVAILABLE)
    assert text in error.message


@pytest.mark.parametrize("details", [None, {}, {"Moderation Reasons": "Violence"}, "x"])
def test_moderation_needs_no_reasons(details: Any):
    body = {"status": "Content Moderated", "details": details}

    assert is_final(raised(answers.polled, answer(200, body), age=1), ErrorKind.MODERATED)


@pytest.mark.parametrize("body", [None, [], {}, {"id": None}, {"id": ""}, {"id": 5}])
def test_a_submit_whose_response_has_no_id_has_an_unknown_outcome(body: Any):
    assert is_final(raised(answers.submitted, answer(200, body)), ErrorKind.UNKNOWN_OUTCOME)


def test_credits_are_reported_with_their_fractions():
    assert answers.credits_left(answer(200, {"credits": 99.5})) == "Credits left: 99.5"


@pytest.mark.parametrize("body", [None, {}, {"credits": "many"}, {"credits": True}])
def test_credits_that_are_not_a_number_may_be_requested_again(body: Any):
    assert is_temporary(raised(answers.credits_left, answer(200, body)))
