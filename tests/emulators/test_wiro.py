"""The emulator of Wiro follows the contract: runs, bodies, tasks, uploads, the model list, callbacks."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
import pytest

from tests.emulators.checks import http, opened, photo, until
from tests.emulators.faults import Fault
from tests.emulators.wiro import Wiro
from tests.emulators.wiro.app import sign

FLUX2 = "black-forest-labs/flux-2-pro"
CAR = {"prompt": "put the car of image 2 on the road of image 1", "seed": 123}
TERMINAL = ("task_postprocess_end", "task_cancel", "task_error")


def signed(wiro: Wiro) -> dict[str, str]:
    assert wiro.secret
    return {
        "x-api-key": wiro.key,
        "x-nonce": "1734513809",
        "x-signature": sign(wiro.key, wiro.secret, "1734513809"),
    }


def post(wiro: Wiro, path: str, body: Any = None, **options: Any) -> httpx.Response:
    if not options:
        options = {"json": body or {}}
    return http.post(f"{wiro.url}/v1/{path}", headers=signed(wiro) | options.pop("headers", {}), **options)


def run(wiro: Wiro, body: Any = CAR, model: str = FLUX2, **options: Any) -> dict[str, Any]:
    answer: dict[str, Any] = post(wiro, f"Run/{model}", body, **options).json()
    return answer


def detail(wiro: Wiro, token: str) -> dict[str, Any]:
    [task] = post(wiro, "Task/Detail", {"tasktoken": token}).json()["tasklist"]
    return dict(task)


def ended(wiro: Wiro, started: dict[str, Any]) -> dict[str, Any]:
    """The task after its end."""
    token = started["socketaccesstoken"]
    return dict(until(lambda: detail(wiro, token), lambda task: task["status"] in TERMINAL))


def refusal(answer: httpx.Response) -> tuple[int, int, str]:
    """HTTP status, code and message."""
    body = answer.json()
    assert list(body) == ["result", "errors"]
    assert body["result"] is False
    [error] = body["errors"]
    return answer.status_code, error["code"], error["message"]


def test_the_signature_matches_the_test_vector():
    assert sign("test-api-key", "test-api-secret", "1734513809") == (
        "1bffbfd309fba76ce06fcbc394a6eae6b6836c15c5982de31646f03ce278e33b"
    )


def test_a_run_goes_through_all_states_to_a_picture(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    body = CAR | {
        "inputImage": ["https://example.com/a.jpg", "https://example.com/b.jpg"],
        "width": 1024,
        "height": 512,
        "safetyTolerance": 2,
        "outputFormat": "png",
        "callbackUrl": "",
    }

    answer = post(wiro, f"Run/{FLUX2}", body)

    started = answer.json()
    token = started["socketaccesstoken"]
    assert re.fullmatch(r"[A-Za-z0-9]{30}", token)
    assert answer.text == (f'{{"errors":[],"taskid":"2221","socketaccesstoken":"{token}","result":true}}')
    seen = []
    for _ in range(21):
        task = detail(wiro, token)
        seen += [task["status"]] if task["status"] not in seen else []
        if task["status"] != "task_postprocess_end":
            assert (task["outputs"], task["pexit"], task["totalcost"]) == ([], "", "0")
        wiro.ahead += 5
    assert seen == [
        "task_queue",
        "task_accept",
        "task_preprocess_start",
        "task_preprocess_end",
        "task_assign",
        "task_start",
        "task_output",
        "task_output_full",
        "task_end",
        "task_postprocess_start",
        "task_postprocess_end",
    ]
    assert (task["pexit"], task["elapsedseconds"], task["totalcost"]) == ("0", "100.0000", "0.058500000000")
    [output] = task["outputs"]
    assert (output["name"], output["contenttype"]) == ("0.png", "image/png")
    assert re.fullmatch(rf"{wiro.url}/cdn1/([0-9a-f]{{8}}-){{7}}[0-9a-f]{{8}}/0\.png", output["url"])
    picture = http.get(output["url"])
    assert (picture.headers["content-type"], opened(picture.content)) == ("image/png", ("PNG", (64, 32)))
    assert picture.content == wiro.tasks[0].pictures[0].content
    assert output["size"] == task["size"] == str(len(picture.content))
    assert wiro.tasks[0].request == body


def test_a_task_has_the_keys_and_the_format_of_the_contract(wiro: Wiro):
    answer = post(wiro, "Task/Detail", {"taskid": run(wiro)["taskid"]})
    body = answer.json()

    assert list(body) == ["total", "errors", "result", "tasklist"]
    assert (body["total"], body["errors"], body["result"]) == ("1", [], True)
    assert " ".join(body["tasklist"][0]) == (
        "id uuid name socketaccesstoken parameters debugoutput debugerror starttime endtime "
        "elapsedseconds status pexit cps totalcost guestid projectid modelid description basemodelid "
        "runtype modelfolderid modelfileid callbackurl marketplaceid createtime canceltime assigntime "
        "accepttime preprocessstarttime preprocessendtime postprocessstarttime postprocessendtime "
        "categories modeldescription modelslugowner modelslugproject outputs size"
    )
    output = ended(wiro, run(wiro))["outputs"][0]
    assert " ".join(output) == (
        "id name contenttype parentid uuid size addedtime modifiedtime accesskey foldercount filecount "
        "ispublic expiretime url"
    )


@pytest.mark.parametrize(
    "options",
    [
        {"json": CAR | {"inputImage": "https://example.com/a.jpg,https://example.com/b.jpg"}},
        {"json": CAR | {"inputImageUrl": "https://example.com/a.jpg", "seed": "123"}},
        {"data": CAR | {"inputImage": "https://example.com/a.jpg"}},
        {"data": CAR, "files": [("inputImage", ("a.png", photo(), "image/png"))]},
        {
            "data": CAR | {"inputImage[0]": "https://example.com/a.jpg"},
            "files": [("inputImage", ("b.jpg", photo(pillow_format="JPEG"), "image/jpeg"))],
        },
        {"files": [("prompt", (None, "in a multipart body"))]},
        {"content": json.dumps(CAR), "headers": {"content-type": "multipart/form-data"}},
    ],
)
def test_bodies_may_have_many_formats(wiro: Wiro, options: dict[str, Any]):
    task = ended(wiro, run(wiro, **options))

    assert (task["status"], task["pexit"]) == ("task_postprocess_end", "0")


def test_files_are_kept_as_sent_and_set_the_size(wiro: Wiro):
    wiro.longest_side = None
    first = ("inputImage", ("a.png", photo(320, 256), "image/png"))
    second = ("inputImage", ("b.jpg", photo(100, 100, "JPEG"), "image/jpeg"))

    started = run(wiro, data=CAR, files=[first, second])

    output = ended(wiro, started)["outputs"][0]
    assert opened(http.get(output["url"]).content)[1] == (320, 256)
    sent = wiro.tasks[0].request["inputImage"]
    assert [(file.name, file.content_type) for file in sent] == [
        ("a.png", "image/png"),
        ("b.jpg", "image/jpeg"),
    ]
    assert sent[0].content == photo(320, 256)


@pytest.mark.parametrize(
    ("model", "extra", "results"),
    [
        ("black-forest-labs/flux-kontext-max", {"aspectRatio": "16:9"}, [("JPEG", (1360, 768))]),
        ("black-forest-labs/flux-kontext-pro", {"outputFormat": "png"}, [("PNG", (1024, 1024))]),
        ("wiro/flux_kontext_dev_with_2_image", {"samples": "2"}, [("PNG", (1024, 1024))] * 2),
        ("BLACK-FOREST-LABS/flux.2-KLEIN-4b", {"width": 640, "height": "480"}, [("PNG", (640, 480))]),
        (FLUX2, {"width": 0, "height": 512}, [("PNG", (1024, 512))]),
    ],
)
def test_each_model_has_its_own_inputs_and_results(
    wiro: Wiro, model: str, extra: dict[str, Any], results: list[Any]
):
    wiro.longest_side = None

    outputs = ended(wiro, run(wiro, CAR | extra, model))["outputs"]

    assert [opened(http.get(output["url"]).content) for output in outputs] == results
    assert len({http.get(output["url"]).content for output in outputs}) == len(results)


def test_a_task_is_cancelled_in_the_queue_and_killed_when_it_runs(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    started = run(wiro)
    token, name = started["socketaccesstoken"], {"taskid": started["taskid"]}
    assert refusal(post(wiro, "Task/Kill", name)) == (
        200,
        1,
        "Task could not be killed: task is not running",
    )
    answer = post(wiro, "Task/Cancel", name).json()["tasklist"][0]
    assert (answer["status"], answer["pexit"], answer["canceltime"]) == ("task_cancel", "0", "0")
    assert detail(wiro, token)["status"] == "task_cancel"
    assert refusal(post(wiro, "Task/Cancel", name))[1:] == (1, "Task is not in a cancellable state.")

    wiro.script.next_submit = [Fault.NEVER_FINISHES]
    name = {"taskid": run(wiro)["taskid"]}
    wiro.ahead += 1000
    assert refusal(post(wiro, "Task/Cancel", name))[1:] == (1, "Task is not in a cancellable state.")
    assert post(wiro, "Task/Kill", name).json()["tasklist"][0]["status"] == "task_cancel"
    assert [task.cancelled_at is None for task in wiro.tasks] == [False, False]
    assert wiro.active() == []


def test_only_successful_runs_are_charged(wiro: Wiro):
    wiro.seconds, wiro.balance = 0.1, 300
    wiro.script.next_submit = [Fault.FAILED, None]

    for _ in range(2):
        ended(wiro, run(wiro))

    until(lambda: wiro.balance, lambda balance: balance < 300)
    assert wiro.balance == pytest.approx(300 - 0.1 * 0.000585)


def test_tasks_are_listed_newest_first(wiro: Wiro):
    for _ in range(3):
        run(wiro)

    page = post(
        wiro, "Task/List", {"type": "model", "sort": "id", "order": "DESC", "start": "1", "limit": "20"}
    )

    assert page.json()["total"] == "3"
    assert [task["id"] for task in page.json()["tasklist"]] == ["2222", "2221"]


def test_models_list_their_inputs(wiro: Wiro):
    [found] = post(wiro, "Tool/List", {"search": "flux-2-pro"}).json()["tool"]
    assert "parameters" not in found
    answer = post(wiro, "Tool/Detail", {"slugowner": "black-forest-labs", "slugproject": "flux-2-pro"})
    [tool] = answer.json()["tool"]
    inputs = {item["id"]: item for item in tool["parameters"][0]["items"]}
    assert (inputs["prompt"]["type"], inputs["prompt"]["required"]) == ("textarea", True)
    assert (inputs["inputImage"]["type"], inputs["width"]["max"]) == ("combinefileinput", 2048)
