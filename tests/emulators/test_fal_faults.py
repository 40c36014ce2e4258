"""Refusals and failures of fal's emulator, with fal's messages."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.emulators.checks import http, opened, spoils_answers, spoils_downloads
from tests.emulators.fal import Fal
from tests.emulators.fal.client import (
    FLUX_2,
    KONTEXT,
    SOFA,
    SOFAS,
    cancel,
    get,
    problem,
    result,
    status,
    submit,
)
from tests.emulators.faults import UNKNOWN_WORD, Fault, Step


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        yield emulator


def test_every_call_but_a_download_requires_the_key(fal: Fal):
    urls = submit(fal).json()
    submits = f"{fal.url}/{KONTEXT}"

    for headers in ({}, {"authorization": f"Bearer {fal.key}"}, {"authorization": "Key a:b"}):
        answers = [
            http.post(submits, content=b"?", headers=headers),
            http.get(urls["status_url"], headers=headers),
            http.get(urls["response_url"], headers=headers),
            http.put(urls["cancel_url"], headers=headers),
            http.post(f"{fal.url}/storage/auth/token?storage_type=fal-cdn-v3", json={}, headers=headers),
        ]
        assert [answer.status_code for answer in answers] == [401] * 5
        assert answers[0].json() == {"detail": "invalid key credentials"}
    assert len(fal.tasks) == 1


def test_unknown_applications_requests_and_files(fal: Fal):
    assert submit(fal, endpoint="fal-ai/flux-9").json() == {"detail": 'Application "flux-9" not found'}
    missing = f"{fal.url}/fal-ai/flux-pro/requests/00000000-0000-4000-8000-000000000000"
    assert get(fal, missing).status_code == get(fal, f"{missing}/status").status_code == 404
    headers = {"authorization": f"Key {fal.key}"}
    gone = http.put(f"{missing}/cancel", headers=headers)
    assert (gone.status_code, gone.json()) == (404, {"status": "NOT_FOUND"})
    assert http.post(f"{missing}/cancel", json={}, headers=headers).status_code == 405
    assert http.get(f"{fal.url}/{KONTEXT}", headers=headers).status_code == 405
    assert http.get(f"{fal.url}/files/a/b.png").status_code == 404
    assert not fal.tasks


@pytest.mark.parametrize(
    "headers",
    [
        {"x-fal-queue-priority": "high"},
        {"x-fal-request-timeout": "1"},
        {"x-fal-request-timeout": "soon"},
        {"x-fal-object-lifecycle-preference": "3600"},
    ],
)
def test_invalid_headers_are_refused(fal: Fal, headers: dict[str, str]):
    answer = submit(fal, headers=headers)

    assert answer.status_code == 400
    assert answer.headers["x-fal-error-type"] == answer.json()["error_type"] == "bad_request"
    assert not fal.tasks


def test_a_body_that_is_not_json_is_refused_at_once(fal: Fal):
    answer = http.post(f"{fal.url}/{KONTEXT}", content=b"{", headers={"authorization": f"Key {fal.key}"})

    assert (answer.status_code, answer.json()["error_type"]) == (400, "bad_request")


@pytest.mark.parametrize(
    ("fault", "code", "retry_after"),
    [
        (Fault.WRONG_KEY, 401, None),
        (Fault.OUT_OF_FUNDS, 403, None),
        (Fault.FORBIDDEN, 401, None),
        (Fault.RATE_LIMITED, 429, None),
        (Fault.RATE_LIMITED_RETRY_AFTER, 429, "1"),
        (Fault.SERVER_ERROR, 500, None),
    ],
)
def test_a_refusal_creates_no_task(fal: Fal, fault: Fault, code: int, retry_after: str | None):
    fal.script.next_submit = [fault]

    answer = submit(fal)

    assert (answer.status_code, answer.headers.get("retry-after")) == (code, retry_after)
    assert isinstance(answer.json()["detail"], str)
    assert answer.headers["x-fal-request-id"]
    assert not fal.tasks
    assert submit(fal).status_code == 200


def test_out_of_funds_is_reported_by_uploads_too(fal: Fal):
    fal.script.next_upload = [Fault.OUT_OF_FUNDS]
    url = f"{fal.url}/storage/auth/token?storage_type=fal-cdn-v3"

    answer = http.post(url, json={}, headers={"authorization": f"Key {fal.key}"})

    assert answer.status_code == 403
    assert answer.json()["detail"].startswith("User is locked. Reason: Exhausted balance.")


@pytest.mark.parametrize("endpoint", [KONTEXT, FLUX_2])
def test_a_moderated_prompt_is_a_422_at_the_result(fal: Fal, endpoint: str):
    fal.script.next_submit = [Fault.PROMPT_MODERATED]

    found = problem(result(fal, submit(fal, {**SOFA, **SOFAS}, endpoint=endpoint)))

    assert (found["type"], found["loc"]) == ("content_policy_violation", ["body", "prompt"])
    assert found["msg"] == (
        "The content could not be processed because it contained material flagged by a content checker."
    )
    assert found["url"] == "https://docs.fal.ai/errors#content_policy_violation"


def test_a_moderated_result_is_a_flagged_black_picture_or_a_422(fal: Fal):
    fal.script.next_submit = [Fault.RESULT_MODERATED, Fault.RESULT_MODERATED]

    output = result(fal, submit(fal)).json()
    found = problem(result(fal, submit(fal, SOFAS, endpoint=FLUX_2)))

    assert output["has_nsfw_concepts"] == [True]
    [image] = output["images"]
    black = http.get(image["url"]).content
    assert opened(black) == ("JPEG", (image["width"], image["height"]))
    assert black != fal.tasks[0].pictures[0].content
    assert found["type"] == "content_policy_violation"


def test_work_can_fail_or_be_empty(fal: Fal):
    fal.script.next_submit = [Fault.FAILED, Fault.OVERLOADED, Fault.EMPTY_RESULT]

    failed, lost, empty = (submit(fal) for _ in range(3))

    assert problem(result(fal, failed), 500)["type"] == "internal_server_error"
    platform = result(fal, lost)
    assert (platform.status_code, platform.json()["error_type"]) == (503, "runner_scheduling_failure")
    assert platform.headers["x-fal-error-type"] == "runner_scheduling_failure"
    assert status(fal, lost)["error_type"] == "runner_scheduling_failure"
    assert "error" not in status(fal, failed)
    assert result(fal, empty).json()["images"] == []


def test_a_poll_can_report_an_unknown_status_endless_work_or_no_task(fal: Fal):
    submitted = submit(fal)
    result(fal, submitted)
    fal.script.next_poll = [Fault.UNKNOWN_STATUS, Fault.NEVER_FINISHES, Fault.NOT_FOUND_YET, None]
    url = submitted.json()["status_url"]

    assert get(fal, url).json()["status"] == UNKNOWN_WORD.upper()
    assert get(fal, url).json()["status"] == "IN_PROGRESS"
    assert get(fal, url).status_code == 404
    assert get(fal, url).json()["status"] == "COMPLETED"


def test_endless_work_can_be_cancelled_unless_the_cancel_is_ignored(fal: Fal):
    fal.script.always[Step.SUBMIT] = Fault.NEVER_FINISHES
    fal.script.next_cancel = [Fault.NEVER_FINISHES]
    submitted = submit(fal)
    fal.ahead += 100_000

    assert cancel(fal, submitted).status_code == 202
    assert status(fal, submitted)["status"] == "IN_PROGRESS"
    assert cancel(fal, submitted).status_code == 202
    assert status(fal, submitted)["error_type"] == "client_cancelled"


def test_a_request_queued_behind_endless_work_can_be_cancelled(fal: Fal):
    fal.queue.concurrency = 1
    fal.script.next_submit = [Fault.NEVER_FINISHES]
    submit(fal)
    behind = submit(fal)

    assert status(fal, behind)["queue_position"] == 0
    assert cancel(fal, behind).json() == {"status": "OK"}
    view = get(fal, f"{behind.json()['status_url']}?logs=1").json()
    assert (view["error_type"], view["logs"]) == ("client_cancelled", None)


def test_spoilt_responses(fal: Fal):
    spoils_answers(fal, Step.SUBMIT, lambda: submit(fal))
    assert len(fal.tasks) == 3

    submitted = submit(fal)
    result(fal, submitted)
    for name in ("status_url", "response_url"):
        spoils_answers(fal, Step.POLL, lambda name=name: get(fal, submitted.json()[name]))  # type: ignore[misc]


def test_spoilt_downloads(fal: Fal):
    url = result(fal, submit(fal)).json()["images"][0]["url"]

    spoils_downloads(fal, url, fal.tasks[0].pictures[0])


@pytest.mark.parametrize("fault", [Fault.LINK_NOT_FOUND, Fault.LINK_EXPIRED])
def test_a_fault_of_the_link_may_be_set_on_the_submit(fal: Fal, fault: Fault):
    fal.script.next_submit = [fault]

    url = result(fal, submit(fal)).json()["images"][0]["url"]

    assert [http.get(url).status_code for _ in range(2)] == [404, 404]


def test_a_stopped_emulator_refuses_connections_and_keeps_its_state(fal: Fal):
    submitted = submit(fal)
    fal.stop()
    with pytest.raises(httpx.ConnectError):
        status(fal, submitted)
    fal.start()

    assert result(fal, submitted).status_code == 200
