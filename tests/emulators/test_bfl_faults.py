"""Failures of tasks, responses and downloads at BFL's emulator."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulators.bfl import Bfl
from tests.emulators.checks import http, spoils_answers, spoils_downloads
from tests.emulators.faults import Fault, Step
from tests.emulators.test_bfl import final, submit


@pytest.mark.parametrize("where", ["submit", "poll"])
@pytest.mark.parametrize(
    ("fault", "status", "details"),
    [
        (
            Fault.PROMPT_MODERATED,
            "Request Moderated",
            {"Moderation Reasons": ["Violence", "Sexual Content", "Self Harm"]},
        ),
        (Fault.RESULT_MODERATED, "Content Moderated", {"Moderation Reasons": ["Sexual Content"]}),
        (Fault.FAILED, "Error", {"error": "Generation failed"}),
        (Fault.EMPTY_RESULT, "Ready", None),
        (Fault.UNKNOWN_STATUS, "Daydreaming", None),
    ],
)
def test_tasks_that_do_not_end_well(bfl: Bfl, where: str, fault: Fault, status: str, details: Any):
    if where == "submit":
        bfl.script.next_submit = [fault]
    polling_url = submit(bfl).json()["polling_url"]
    bfl.ahead += 1
    if where == "poll":
        bfl.script.next_poll = [fault]

    assert http.get(polling_url).json() == {
        "id": bfl.tasks[0].id,
        "status": status,
        "result": None,
        "progress": None,
        "details": details,
        "preview": None,
    }
    again = http.get(polling_url).json()["status"]
    assert again == (status if where == "submit" else "Ready")


def test_polls_of_a_failed_task_may_be_503_with_the_normal_body(bfl: Bfl):
    bfl.failed_status = 503
    bfl.script.next_submit = [Fault.FAILED]
    polling_url = submit(bfl).json()["polling_url"]
    bfl.ahead += 1

    answer = http.get(polling_url)

    assert (answer.status_code, answer.json()["status"]) == (503, "Error")


def test_a_task_may_never_end_or_not_be_known_yet(bfl: Bfl):
    bfl.script.next_submit = [Fault.NEVER_FINISHES]
    bfl.script.next_poll = [Fault.NOT_FOUND_YET]
    polling_url = submit(bfl).json()["polling_url"]
    bfl.ahead += 86400

    early = http.get(polling_url)
    assert (early.status_code, early.json()["status"]) == (404, "Task not found")
    assert http.get(polling_url).json() | {"id": ""} == {
        "id": "",
        "status": "Pending",
        "result": None,
        "progress": 0.9,
        "details": None,
        "preview": None,
    }


@pytest.mark.parametrize(
    ("fault", "status", "text", "retry_after"),
    [
        (Fault.WRONG_KEY, 403, '{"detail":"Not authenticated - Invalid Authentication"}', None),
        (Fault.OUT_OF_FUNDS, 402, '{"detail":"Insufficient credits"}', None),
        (Fault.RATE_LIMITED, 429, '{"detail":"Too many active tasks"}', None),
        (Fault.RATE_LIMITED_RETRY_AFTER, 429, '{"detail":"Too many active tasks"}', "1"),
        (Fault.SERVER_ERROR, 500, '{"detail":"Internal Server Error"}', None),
    ],
)
def test_refusals_create_no_task(bfl: Bfl, fault: Fault, status: int, text: str, retry_after: str | None):
    bfl.script.next_submit = [fault]

    answer = submit(bfl)

    assert (answer.status_code, answer.text) == (status, text)
    assert answer.headers.get("retry-after") == retry_after
    assert not bfl.tasks
    assert submit(bfl).status_code == 200


def test_spoilt_responses(bfl: Bfl):
    spoils_answers(bfl, Step.SUBMIT, lambda: submit(bfl))
    assert len(bfl.tasks) == 3  # the proxy's page created none
    polling_url = f"{bfl.url}/v1/get_result?id={bfl.tasks[0].id}"
    spoils_answers(bfl, Step.POLL, lambda: http.get(polling_url))
    bfl.script.always[Step.POLL] = Fault.SERVER_ERROR
    assert {http.get(polling_url).status_code for _ in range(2)} == {500}


def test_spoilt_downloads(bfl: Bfl):
    link = final(submit(bfl).json()["polling_url"])["result"]["sample"]
    spoils_downloads(bfl, link, bfl.tasks[0].pictures[0])

    bfl.script.next_download = [Fault.LINK_NOT_FOUND, Fault.LINK_EXPIRED]
    gone, expired = http.get(link), http.get(link)
    assert (gone.status_code, "<Code>BlobNotFound</Code>" in gone.text) == (404, True)
    assert (expired.status_code, "<Code>AuthenticationFailed</Code>" in expired.text) == (403, True)


def test_a_fault_of_the_link_stays_with_the_task(bfl: Bfl):
    bfl.script.next_submit = [Fault.LINK_EXPIRED]
    link = final(submit(bfl).json()["polling_url"])["result"]["sample"]

    assert [http.get(link).status_code for _ in range(2)] == [403, 403]
