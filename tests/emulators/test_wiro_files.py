"""Uploads, bad pictures, deleted files and callbacks of Wiro's emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.emulators.checks import http, photo
from tests.emulators.faults import Fault
from tests.emulators.receiver import Receiver
from tests.emulators.test_wiro import CAR, detail, ended, post, refusal, run
from tests.emulators.wiro import Wiro


def test_an_upload_returns_a_url_that_a_run_accepts(wiro: Wiro):
    answer = post(wiro, "File/Upload", files={"file": ("my photo.png", photo(), "image/png")})

    body = answer.json()
    assert list(body) == ["result", "errors", "list"]
    [file] = body["list"]
    assert list(file) == "id name contenttype size parentid url addedtime accesskey".split()
    assert (file["name"], file["contenttype"]) == ("my photo.png", "image/png")
    assert file["size"] == str(len(photo()))
    assert http.get(file["url"]).content == photo()
    assert ended(wiro, run(wiro, CAR | {"inputImage": [file["url"]]}))["pexit"] == "0"
    assert refusal(post(wiro, "File/Upload", {"file": "text"}))[1] == 0


@pytest.mark.parametrize(
    "files",
    [
        [("inputImage", ("a.gif", b"GIF89a", "image/gif"))],
        [("inputImage", (None, "http://127.0.0.1:9/nobody.png"))],
    ],
)
def test_pictures_that_cannot_be_read_end_the_task_before_the_model_starts(wiro: Wiro, files: Any):
    task = ended(wiro, run(wiro, data={"prompt": "x"}, files=files))

    assert (task["status"], task["outputs"], task["totalcost"]) == ("task_error", [], "0")
    assert task["debugerror"].startswith("Could not")


def test_kontext_does_not_accept_webp(wiro: Wiro):
    file = ("inputImage", ("a.webp", photo(pillow_format="WEBP"), "image/webp"))

    started = run(wiro, model="black-forest-labs/flux-kontext-pro", data=CAR, files=[file])

    assert ended(wiro, started)["status"] == "task_error"


def test_files_can_be_deleted_after_the_end(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    started = run(wiro)
    name = {"tasktoken": started["socketaccesstoken"]}
    early = refusal(post(wiro, "Task/InputOutputDelete", name))
    assert early[2] == "Task must be completed or cancelled before deleting files"
    wiro.ahead += 101
    url = detail(wiro, name["tasktoken"])["outputs"][0]["url"]

    for _ in range(2):
        assert post(wiro, "Task/InputOutputDelete", name).text == '{"result":true,"errors":[]}'
    assert http.get(url).status_code == 404
    assert detail(wiro, name["tasktoken"])["outputs"] == []
    assert refusal(post(wiro, "Task/InputOutputDelete", {"tasktoken": "x"}))[1:] == (1, "task-not-exist")


@pytest.mark.parametrize("fault", [None, Fault.FAILED])
def test_callbacks_send_the_task_until_they_are_accepted(wiro: Wiro, fault: Fault | None):
    wiro.script.next_submit = [fault]
    with Receiver() as receiver:
        receiver.answers = [503]
        started = run(wiro, CAR | {"callbackUrl": receiver.url})
        _, (headers, content) = receiver.wait(2)

    reported = json.loads(content)
    assert headers["content-type"] == "application/json"
    assert (reported["result"], reported["errors"], reported["total"]) == (True, [], "1")
    assert (reported["taskid"], reported["status"]) == (started["taskid"], "task_postprocess_end")
    assert reported["tasklist"][0]["pexit"] == ("1" if fault else "0")
    assert reported["outputs"] == reported["tasklist"][0]["outputs"]


def test_cancelled_tasks_send_callbacks_too(wiro: Wiro):
    wiro.stop_clock()
    wiro.seconds = 100
    with Receiver() as receiver:
        started = run(wiro, CAR | {"callbackUrl": receiver.url})
        post(wiro, "Task/Cancel", {"taskid": started["taskid"]})
        [(_, content)] = receiver.wait(1)

    assert json.loads(content)["status"] == "task_cancel"
