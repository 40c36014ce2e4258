"""Refusals of kie's emulator."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.emulators.checks import http
from tests.emulators.kie import Kie
from tests.emulators.test_kie import (
    CREATE,
    JOBS,
    KONTEXT,
    KONTEXTS,
    SOFA,
    call,
    create,
)


def failure(answer: httpx.Response) -> tuple[int, int, str]:
    """HTTP status, code and message."""
    body = answer.json()
    assert list(body) == ["code", "msg", "data"]
    assert body["data"] is None
    return answer.status_code, body["code"], body["msg"]


def inputs(**changes: Any) -> dict[str, Any]:
    """CREATE with other inputs; None omits one."""
    changed = {**CREATE["input"], **changes}  # type: ignore[dict-item]
    return {**CREATE, "input": {name: value for name, value in changed.items() if value is not None}}


@pytest.mark.parametrize("real_status", [False, True])
def test_the_key_is_checked(kie: Kie, real_status: bool):
    kie.real_status = real_status
    status = 401 if real_status else 200

    for path in (JOBS, KONTEXTS, "jobs/recordInfo", "flux/kontext/record-info", "chat/credit"):
        method = "POST" if path in (JOBS, KONTEXTS) else "GET"
        url = f"{kie.url}/api/v1/{path}"
        none = http.request(method, url, headers={"x-api-key": kie.key})
        wrong = http.request(method, url, headers={"authorization": "Bearer other"})
        assert failure(none) == (status, 401, "Unauthorized")
        assert failure(wrong) == (status, 401, "You do not have access permissions")
    upload = http.post(f"{kie.url}/api/file-base64-upload", json={})
    assert upload.json()["code"] == 401


def test_unknown_paths_and_methods_have_http_error_statuses(kie: Kie):
    assert call(kie, "POST", "v1/jobs/create", json=CREATE).status_code == 404
    assert call(kie, "GET", "v1/jobs/createTask").status_code == 405
    assert call(kie, "POST", "v1/flux/kontext/record-info").status_code == 405
    assert call(kie, "GET", "file-base64-upload").status_code == 405


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "This field is required"),
        ({"model": "google/nano-banana"}, "This field is required"),
        ({"model": "gpt-image-1", "input": {}}, "The model name you specified is not supported."),
        (inputs(prompt=None), "This field is required"),
        (inputs(image_urls=None), "This field is required"),
        (inputs(image_urls=[]), "image_urls: List should have at least 1 item"),
        (inputs(image_urls=[SOFA] * 11), "image_urls: List should have at most 10 items"),
        (inputs(image_urls=SOFA), "image_urls: Input should be a valid list"),
        (
            inputs(image_urls=["data:image/png;base64,aGk="]),
            "image_urls.0: Value error, must be an https URL",
        ),
        (inputs(image_urls=["http://example.com/a.png"]), "image_urls.0: Value error, must be an https URL"),
        (inputs(output_format="jpg"), "output_format: Input should be 'png' or 'jpeg'"),
        (inputs(image_size="2:1"), "image_size: Input should be "),
        (inputs(prompt="x" * 5001), "prompt: String should have at most 5000 characters"),
        (inputs(image_input=[SOFA]), "image_input: Extra inputs are not permitted"),
        ({**CREATE, "callbackUrl": "https://example.com"}, "callbackUrl: Extra inputs are not permitted"),
        (
            {"model": "flux-2/pro-image-to-image", "input": {"prompt": "xyz", "input_urls": [SOFA]}},
            "This field is required",
        ),
        (
            {
                "model": "gpt-image-2-5-flare-text-to-image",
                "input": {"prompt": "x", "aspect_ratio": "9:8", "resolution": "2K"},
            },
            "Value error, aspect_ratio 9:8 is available at 1K only",
        ),
    ],
)
def test_inputs_of_jobs_are_checked(kie: Kie, body: Any, message: str):
    status, code, text = failure(create(kie, body))

    assert (status, code) == (200, 422)
    assert text.startswith(message)
    assert not kie.tasks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"safetyTolerance": 3}, "Value error, safetyTolerance must be between 0 and 2 in editing mode"),
        ({"safetyTolerance": "2"}, "safetyTolerance: Input should be a valid integer"),
        ({"aspectRatio": "auto"}, "aspectRatio: Input should be "),
        ({"model": "flux-kontext-dev"}, "model: Input should be "),
        ({"inputImage": "iVBORw0KGgo="}, "inputImage: Value error, must be an https URL"),
        ({"input_image": SOFA}, "input_image: Extra inputs are not permitted"),
    ],
)
def test_inputs_of_kontext_are_checked(kie: Kie, changes: dict[str, Any], message: str):
    status, code, text = failure(create(kie, {**KONTEXT, **changes}, KONTEXTS))

    assert (status, code) == (200, 422)
    assert text.startswith(message)


def test_unknown_fields_may_be_accepted(kie: Kie):
    kie.strict = False

    assert create(kie, {**inputs(style="oil"), "priority": 1}).json()["code"] == 200


def test_bodies_must_be_json(kie: Kie):
    for content in ("{", "[]", ""):
        answer = call(kie, "POST", f"v1/{JOBS}", content=content)
        assert failure(answer) == (200, 400, "Invalid JSON")


def test_records_need_an_id_of_their_own_api(kie: Kie):
    task_id = create(kie).json()["data"]["taskId"]

    assert failure(call(kie, "GET", "v1/jobs/recordInfo")) == (200, 400, "taskId parameter is required")
    assert failure(call(kie, "GET", "v1/jobs/recordInfo?taskId=x")) == (200, 422, "recordInfo is null")
    other = call(kie, "GET", f"v1/flux/kontext/record-info?taskId={task_id}")
    assert failure(other) == (200, 422, "The record does not exist")


def test_funds_and_new_tasks_are_limited(kie: Kie):
    kie.stop_clock()
    kie.credits = 3.9
    assert failure(create(kie))[1] == 402
    kie.credits = 1000
    codes = [create(kie).json()["code"] for _ in range(21)]
    assert codes == [200] * 20 + [429]
    kie.ahead += 11
    assert create(kie).json()["code"] == 200
    kie.running, kie.seconds = 1, 100
    kie.ahead += 11
    assert [create(kie).json()["code"] for _ in range(2)] == [200, 429]
