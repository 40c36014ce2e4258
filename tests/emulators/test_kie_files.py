"""Uploads and callbacks of kie's emulator."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from tests.emulators.checks import http, photo
from tests.emulators.faults import Fault
from tests.emulators.kie import Kie
from tests.emulators.kie.app import sign
from tests.emulators.receiver import Receiver
from tests.emulators.test_kie import CREATE, KONTEXT, KONTEXTS, call, create, ended, record, result_of


def test_files_are_uploaded_in_three_ways_and_accepted_as_inputs(kie: Kie):
    encoded = base64.b64encode(photo()).decode()
    by_text = {"base64Data": encoded, "uploadPath": "portal/u1", "fileName": "room.png"}
    first = call(kie, "POST", "file-base64-upload", json=by_text).json()
    assert list(first) == ["success", "code", "msg", "data"]
    assert (first["success"], first["code"], first["msg"]) == (True, 200, "File uploaded successfully")
    reported = first["data"]
    assert " ".join(reported) == "fileName filePath downloadUrl fileSize mimeType uploadedAt"
    assert (reported["fileName"], reported["filePath"]) == ("room.png", "portal/u1/room.png")
    assert (reported["fileSize"], reported["mimeType"]) == (len(photo()), "image/png")
    data_url = {**by_text, "base64Data": f"data:image/png;base64,{encoded}"}
    uploads = [
        first,
        call(kie, "POST", "file-base64-upload", json=data_url).json(),
        call(
            kie,
            "POST",
            "file-stream-upload",
            data={"uploadPath": "/portal/u2/"},
            files={"file": ("a b.png", photo(), "image/png")},
        ).json(),
        call(
            kie,
            "POST",
            "file-url-upload",
            json={"fileUrl": reported["downloadUrl"], "uploadPath": "portal/u3"},
        ).json(),
    ]
    urls = [upload["data"]["downloadUrl"] for upload in uploads]
    assert [http.get(url).content for url in urls] == [photo()] * 4
    assert uploads[2]["data"]["filePath"] == "portal/u2/a b.png"

    inputs = {"prompt": "xyz", "input_urls": urls, "aspect_ratio": "auto", "resolution": "1K"}
    body = {"model": "flux-2/pro-image-to-image", "input": inputs}
    assert ended(kie, create(kie, body))["state"] == "success"
    kie.ahead += 86400
    assert http.get(urls[0]).status_code == 404
    data = ended(kie, create(kie, body))
    assert (data["state"], data["failCode"], data["resultJson"]) == ("fail", "422", "")


@pytest.mark.parametrize(
    ("path", "options", "message"),
    [
        (
            "file-base64-upload",
            {"json": {"base64Data": "aGk="}},
            "Missing required parameter: uploadPath",
        ),
        (
            "file-base64-upload",
            {"json": {"uploadPath": "x"}},
            "Missing required parameter: base64Data",
        ),
        ("file-base64-upload", {"json": {"uploadPath": "x", "base64Data": "%"}}, "Invalid base64Data"),
        ("file-base64-upload", {"content": "{"}, "Invalid JSON"),
        ("file-stream-upload", {"json": {"file": "x"}}, "Missing required parameter: file"),
        (
            "file-stream-upload",
            {"files": {"file": ("a.png", photo(), "image/png")}},
            "Missing required parameter: uploadPath",
        ),
        (
            "file-url-upload",
            {"json": {"uploadPath": "x"}},
            "Missing required parameter: fileUrl",
        ),
    ],
)
def test_bad_uploads_are_refused(kie: Kie, path: str, options: dict[str, Any], message: str):
    answer = call(kie, "POST", path, **options)

    assert answer.json() == {"success": False, "code": 400, "msg": message, "data": None}


@pytest.mark.parametrize("fault", [None, Fault.FAILED])
def test_callbacks_of_jobs(kie: Kie, fault: Fault | None):
    kie.script.next_submit = [fault]
    with Receiver() as receiver:
        receiver.answers = [500]
        task_id = create(kie, {**CREATE, "callBackUrl": receiver.url}).json()["data"]["taskId"]
        _, (headers, content) = receiver.wait(2)

    reported = json.loads(content)
    assert headers["content-type"] == "application/json"
    assert "x-webhook-signature" not in headers
    data = reported["data"]
    assert json.loads(data["param"])["callBackUrl"] == receiver.url
    if fault:
        assert (reported["code"], reported["msg"]) == (501, "Playground task failed.")
        assert " ".join(data) == "taskId model state failCode failMsg param resultJson"
        assert (data["state"], data["failCode"], data["resultJson"]) == ("fail", "500", None)
    else:
        assert (reported["code"], reported["msg"]) == (200, "Playground task completed successfully.")
        assert (data["taskId"], data["state"], data["consumeCredits"]) == (task_id, "success", 4)
        assert result_of(data) == result_of(record(kie, task_id))


@pytest.mark.parametrize("fault", [None, Fault.PROMPT_MODERATED])
def test_callbacks_of_kontext_may_be_signed_and_sent_twice(kie: Kie, fault: Fault | None):
    kie.script.next_submit = [fault]
    kie.webhook_key, kie.deliveries = "hook-key", 2
    with Receiver() as receiver:
        answer = create(kie, {**KONTEXT, "callBackUrl": receiver.url}, KONTEXTS)
        first, second = receiver.wait(2)

    task_id = answer.json()["data"]["taskId"]
    assert first == second
    headers, content = first
    stamp = headers["x-webhook-timestamp"]
    assert headers["x-webhook-signature"] == sign("hook-key", task_id, stamp)
    reported = json.loads(content)
    if fault:
        assert reported == {
            "code": 400,
            "msg": "Your prompt was flagged by Website as violating content policies.",
            "data": {"taskId": task_id, "info": None},
        }
    else:
        assert (reported["code"], reported["msg"]) == (200, "BFL image generated successfully.")
        assert reported["data"] == {"taskId": task_id, "info": record(kie, task_id)["response"]}
