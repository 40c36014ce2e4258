"""Failures of tasks, responses and downloads at kie's emulator."""

from __future__ import annotations

import pytest

from tests.emulators.checks import http, spoils_answers, spoils_downloads, until
from tests.emulators.faults import Fault, Step
from tests.emulators.kie import Kie
from tests.emulators.test_kie import CREATE, JOBS, KONTEXT, KONTEXTS, call, create, ended, record, result_of
from tests.emulators.test_kie_refusals import failure


@pytest.mark.parametrize(
    ("fault", "refused"),
    [
        (Fault.WRONG_KEY, (200, 401, "You do not have access permissions")),
        (Fault.OUT_OF_FUNDS, (200, 402, "Credits insufficient. Please top up to continue.")),
        (Fault.RATE_LIMITED, (200, 429, "The call frequency is too high. Please try again later.")),
        (Fault.RATE_LIMITED_RETRY_AFTER, (429, 429, "The call frequency is too high.")),
        (Fault.SERVER_ERROR, (200, 500, "Server exception, please try again later")),
    ],
)
@pytest.mark.parametrize("path", [JOBS, KONTEXTS])
def test_refusals_create_no_task(kie: Kie, fault: Fault, refused: tuple[int, int, str], path: str):
    kie.script.next_submit = [fault, fault]
    body = CREATE if path == JOBS else KONTEXT

    answer = create(kie, body, path)
    kie.real_status = True

    assert failure(answer) == refused
    assert answer.headers.get("retry-after") == ("1" if refused[0] == 429 else None)
    assert failure(create(kie, body, path))[:2] == (refused[1], refused[1])
    assert not kie.tasks


@pytest.mark.parametrize("code", [433, 455, 505])
def test_a_server_error_may_have_another_code(kie: Kie, code: int):
    kie.error_code = code
    kie.script.next_poll = [Fault.SERVER_ERROR]
    create(kie)

    assert call(kie, "GET", f"v1/jobs/recordInfo?taskId={kie.tasks[0].id}").json()["code"] == code


@pytest.mark.parametrize(
    ("fault", "state", "code", "message"),
    [
        (Fault.FAILED, "fail", "500", "Internal server error"),
        (
            Fault.PROMPT_MODERATED,
            "fail",
            "400",
            "Your prompt was flagged by Website as violating content policies.",
        ),
        (
            Fault.RESULT_MODERATED,
            "fail",
            "501",
            "The generated image was blocked by the upstream safety filter.",
        ),
        (Fault.UNKNOWN_STATUS, "Daydreaming", "", ""),
    ],
)
def test_jobs_that_do_not_end_well(kie: Kie, fault: Fault, state: str, code: str, message: str):
    kie.script.next_submit = [fault]
    task_id = create(kie).json()["data"]["taskId"]
    kie.ahead += 1

    data = record(kie, task_id)

    assert (data["state"], data["failCode"], data["failMsg"]) == (state, code, message)
    assert data["resultJson"] == ""
    if state == "fail":
        assert until(lambda: kie.credits, lambda credits: credits == 1234.5)


@pytest.mark.parametrize(
    ("fault", "flag", "code"),
    [
        (Fault.FAILED, 3, 500),
        (Fault.PROMPT_MODERATED, 2, 400),
        (Fault.RESULT_MODERATED, 3, 501),
        (Fault.UNKNOWN_STATUS, 7, 0),
    ],
)
def test_kontext_tasks_that_do_not_end_well(kie: Kie, fault: Fault, flag: int, code: int):
    kie.script.next_submit = [fault]
    task_id = create(kie, KONTEXT, KONTEXTS).json()["data"]["taskId"]
    kie.ahead += 1

    data = record(kie, task_id)

    assert (data["successFlag"], data["errorCode"], data["response"]) == (flag, code, None)


@pytest.mark.parametrize("text", ['{"resultUrls":[]}', "", '{"resultUrls":'])
def test_a_success_may_be_empty(kie: Kie, text: str):
    kie.empty_result = text
    kie.script.always[Step.SUBMIT] = Fault.EMPTY_RESULT

    data = ended(kie, create(kie))
    kontext = ended(kie, create(kie, KONTEXT, KONTEXTS))

    assert (data["state"], data["resultJson"]) == ("success", text)
    assert kontext["successFlag"] == 1
    assert kontext["response"] == {"originImageUrl": None, "resultImageUrl": None}


def test_a_task_may_never_end_or_not_be_known_yet(kie: Kie):
    kie.script.next_submit = [Fault.NEVER_FINISHES]
    kie.script.next_poll = [Fault.NOT_FOUND_YET]
    task_id = create(kie).json()["data"]["taskId"]
    kie.ahead += 86400

    early = call(kie, "GET", f"v1/jobs/recordInfo?taskId={task_id}")
    assert failure(early) == (200, 422, "recordInfo is null")
    assert record(kie, task_id)["state"] == "generating"


def test_responses_may_have_no_content_type(kie: Kie):
    kie.content_types = False

    answer = create(kie)

    assert "content-type" not in answer.headers
    assert answer.json()["code"] == 200


def test_spoilt_responses(kie: Kie):
    spoils_answers(kie, Step.SUBMIT, lambda: create(kie))
    assert len(kie.tasks) == 3
    path = f"v1/jobs/recordInfo?taskId={kie.tasks[0].id}"
    spoils_answers(kie, Step.POLL, lambda: call(kie, "GET", path))
    kie.script.next_upload = [Fault.BAD_GATEWAY]
    assert call(kie, "POST", "file-stream-upload").status_code == 502


def test_spoilt_downloads(kie: Kie):
    link = result_of(ended(kie, create(kie)))
    spoils_downloads(kie, link, kie.tasks[0].pictures[0])

    kie.script.next_download = [Fault.LINK_NOT_FOUND, Fault.LINK_EXPIRED]
    assert [http.get(link).status_code for _ in range(3)] == [404, 404, 200]
