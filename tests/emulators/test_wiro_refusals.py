"""Refusals of Wiro's emulator, and failures of tasks and responses."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.emulators.checks import http, spoils_answers, spoils_downloads
from tests.emulators.faults import Fault, Step
from tests.emulators.test_wiro import CAR, FLUX2, detail, ended, post, refusal, run, signed
from tests.emulators.wiro import Wiro
from tests.emulators.wiro.app import sign


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x-api-key": None}, "Project authorization is not founded."),
        ({"x-api-key": "other"}, "Project authorization is not founded."),
        (
            {"x-signature": None},
            "Project requires signature authentication. x-signature and x-nonce headers are required.",
        ),
        (
            {"x-nonce": None},
            "Project requires signature authentication. x-signature and x-nonce headers are required.",
        ),
        ({"x-nonce": "1734513810"}, "Project authorization is not valid."),
        ({"x-signature": "0" * 64}, "Project authorization is not valid."),
        (
            {"x-nonce": "now", "x-signature": sign("test-api-key", "test-api-secret", "now")},
            "Project authorization is not valid.",
        ),
    ],
)
def test_requests_must_be_signed(wiro: Wiro, changes: dict[str, str | None], message: str):
    headers = {name: value for name, value in (signed(wiro) | changes).items() if value is not None}

    for path in (f"Run/{FLUX2}", "Task/Detail", "Task/Kill", "File/Upload", "Tool/List"):
        answer = http.post(f"{wiro.url}/v1/{path}", json={}, headers=headers)
        assert refusal(answer) == (401, 0, message)


def test_header_names_are_case_insensitive_and_openssls_prefix_is_ignored(wiro: Wiro):
    headers = signed(wiro)
    headers = {
        "X-API-KEY": headers["x-api-key"],
        "X-Nonce": headers["x-nonce"],
        "X-Signature": f"SHA2-256(stdin)= {headers['x-signature']}",
    }

    assert http.post(f"{wiro.url}/v1/Run/{FLUX2}", json=CAR, headers=headers).json()["result"] is True


def test_a_project_may_need_only_its_key():
    with Wiro(secret=None) as wiro:
        answer = http.post(f"{wiro.url}/v1/Run/{FLUX2}", json=CAR, headers={"x-api-key": wiro.key})
        assert answer.json()["result"] is True
        assert set(wiro.environment()) == {"WIRO_BASE_URL", "WIRO_API_KEY", "WIRO_SOCKET_URL"}


def test_unknown_paths_and_methods_are_404(wiro: Wiro):
    for method, path in [("POST", "/v1/Nothing"), ("POST", "/v1/run/a/b"), ("GET", f"/v1/Run/{FLUX2}")]:
        answer = http.request(method, wiro.url + path)
        assert refusal(answer) == (404, 0, "Error parsing url.")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "Request parameter [prompt] required"),
        ({"prompt": " "}, "Request parameter [prompt] required"),
        ({"prompt": "x", "seed": "many"}, "Request parameter [seed] must be integer or float"),
        (
            {"prompt": "x", "safetyTolerance": 6},
            "Request parameter [safetyTolerance] must be between 0 and 5",
        ),
        ({"prompt": "x", "width": 32}, "Request parameter [width] must be between 64 and 2048"),
        ({"prompt": "x", "height": 1000.5}, "Request parameters are invalid."),
        ({"prompt": "x", "outputFormat": "webp"}, "Request parameters are invalid."),
        ({"prompt": {"text": "x"}}, "Request parameters are invalid."),
        ({"prompt": "x", "inputImage": "iVBORw0KGgo="}, "Request parameters are invalid."),
        (
            {"prompt": "x", "inputImage": "data:image/png;base64,iVBORw0KGgo="},
            "Request parameters are invalid.",
        ),
        ({"prompt": "x", "inputImage": ["https://example.com/a.jpg"] * 9}, "Request parameters are invalid."),
        ({"prompt": "x", "callbackUrl": "/hook"}, "Request parameters are invalid."),
        (["prompt"], "Request parameters are invalid."),
    ],
)
def test_parameters_are_checked(wiro: Wiro, body: Any, message: str):
    assert refusal(post(wiro, f"Run/{FLUX2}", json=body)) == (200, 0, message)
    assert not wiro.tasks


def test_broken_bodies_are_refused(wiro: Wiro):
    broken = post(wiro, f"Run/{FLUX2}", content='{"prompt":', headers={"content-type": "application/json"})
    form = post(
        wiro, f"Run/{FLUX2}", content="no parts", headers={"content-type": "multipart/form-data; boundary=B"}
    )

    assert refusal(broken) == (200, 0, "Request parameters are invalid.")
    assert refusal(form)[1:] in [
        (0, "Request parameters are invalid."),
        (0, "Request parameter [prompt] required"),
    ]


def test_unknown_models_and_tasks(wiro: Wiro):
    assert refusal(post(wiro, "Run/wiro/nothing", CAR)) == (200, 1, "slug-owner-project-not-exist")
    for path in ("Task/Detail", "Task/Cancel", "Task/Kill"):
        assert refusal(post(wiro, path, {"tasktoken": "x"})) == (200, 1, "There is no task yet.")
        assert refusal(post(wiro, path, {})) == (200, 0, "taskid or socketaccesstoken is required")


def test_balance_limits_runs(wiro: Wiro):
    wiro.stop_clock()
    wiro.balance = 0.4
    assert refusal(post(wiro, f"Run/{FLUX2}", CAR)) == (200, 97, "Insufficient balance")
    wiro.balance, wiro.seconds = 20, 100
    answers = [post(wiro, f"Run/{FLUX2}", CAR) for _ in range(3)]
    assert [answer.json()["result"] for answer in answers] == [True, True, False]
    assert refusal(answers[2]) == (
        200,
        96,
        "You have reached your concurrent task limit. With your current balance of $20.00, you can run up to "
        "2 tasks at the same time. Add funds to increase your limit.",
    )
    wiro.balance = 251
    assert run(wiro)["result"] is True


@pytest.mark.parametrize(
    ("fault", "refused", "retry_after"),
    [
        (Fault.WRONG_KEY, (401, 0, "Project authorization is not founded."), None),
        (Fault.OUT_OF_FUNDS, (200, 97, "Insufficient balance"), None),
        (Fault.RATE_LIMITED_RETRY_AFTER, (429, 0, "Too many requests"), "1"),
        (Fault.SERVER_ERROR, (500, 0, "Internal server error"), None),
    ],
)
def test_refusals_create_no_task(
    wiro: Wiro, fault: Fault, refused: tuple[int, int, str], retry_after: str | None
):
    wiro.script.next_submit = [fault, Fault.RATE_LIMITED]

    answer = post(wiro, f"Run/{FLUX2}", CAR)

    assert refusal(answer) == refused
    assert answer.headers.get("retry-after") == retry_after
    assert refusal(post(wiro, f"Run/{FLUX2}", CAR))[:2] == (200, 96)
    assert not wiro.tasks


@pytest.mark.parametrize(
    ("fault", "status", "pexit", "reason"),
    [
        (Fault.FAILED, "task_postprocess_end", "1", "RuntimeError"),
        (Fault.PROMPT_MODERATED, "task_postprocess_end", "1", "Request Moderated"),
        (Fault.RESULT_MODERATED, "task_cancel", "1", "Content Moderated"),
        (Fault.EMPTY_RESULT, "task_postprocess_end", "0", ""),
        (Fault.UNKNOWN_STATUS, "Daydreaming", "", ""),
    ],
)
def test_tasks_that_do_not_end_well(wiro: Wiro, fault: Fault, status: str, pexit: str, reason: str):
    wiro.script.next_submit = [fault]
    started = run(wiro)
    wiro.ahead += 1

    task = detail(wiro, started["socketaccesstoken"])

    assert (task["status"], task["pexit"], task["outputs"]) == (status, pexit, [])
    assert task["debugerror"].startswith(reason)
    assert (task["totalcost"] != "0") is (fault is Fault.EMPTY_RESULT)


@pytest.mark.parametrize("status", ["task_postprocess_end", "task_error", "task_cancel"])
def test_failed_runs_may_have_any_of_three_statuses(wiro: Wiro, status: str):
    wiro.fails_as = status
    wiro.script.next_submit = [Fault.FAILED]

    task = ended(wiro, run(wiro))

    assert (task["status"], task["outputs"], task["totalcost"]) == (status, [], "0")


def test_a_task_may_never_end_or_not_be_known_yet(wiro: Wiro):
    wiro.script.next_submit = [Fault.NEVER_FINISHES]
    wiro.script.next_poll = [Fault.NOT_FOUND_YET]
    token = run(wiro)["socketaccesstoken"]
    wiro.ahead += 86400

    early = post(wiro, "Task/Detail", {"tasktoken": token})
    assert refusal(early) == (200, 1, "There is no task yet.")
    assert detail(wiro, token)["status"] == "task_output"


def test_spoilt_responses(wiro: Wiro):
    def send(path: str, body: dict[str, Any]) -> httpx.Response:
        url = f"{wiro.url}/v1/{path}"
        return http.post(url, json=body, headers=signed(wiro))

    spoils_answers(wiro, Step.SUBMIT, lambda: send(f"Run/{FLUX2}", CAR))
    assert len(wiro.tasks) == 3
    name = {"taskid": wiro.tasks[0].id}
    spoils_answers(wiro, Step.POLL, lambda: send("Task/Detail", name))
    wiro.script.next_submit = [Fault.NEVER_FINISHES]
    wiro.script.next_cancel = [Fault.SERVER_ERROR, Fault.BAD_GATEWAY]
    name = {"taskid": run(wiro)["taskid"]}
    wiro.ahead += 1
    assert [send("Task/Kill", name).status_code for _ in range(3)] == [500, 502, 200]
    wiro.script.next_upload = [Fault.OUT_OF_FUNDS]
    assert refusal(send("File/Upload", {}))[1] == 97


def test_spoilt_downloads(wiro: Wiro):
    link = ended(wiro, run(wiro))["outputs"][0]["url"]
    spoils_downloads(wiro, link, wiro.tasks[0].pictures[0])

    wiro.script.next_download = [Fault.LINK_NOT_FOUND, Fault.LINK_EXPIRED]
    assert [http.get(link).status_code for _ in range(3)] == [404, 404, 200]
