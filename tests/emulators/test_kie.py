"""The emulator of kie follows the contract: the jobs API, the Kontext API, uploads, callbacks."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.emulators.checks import http, opened, until
from tests.emulators.kie import Kie

SOFA = "https://tempfile.redpandaai.co/x/room.png"
CREATE = {
    "model": "google/nano-banana-edit",
    "input": {
        "prompt": "make the sofa green",
        "image_urls": [SOFA],
        "output_format": "png",
        "image_size": "auto",
    },
}
KONTEXT = {
    "prompt": "make the sofa green",
    "inputImage": SOFA,
    "model": "flux-kontext-max",
    "outputFormat": "png",
    "safetyTolerance": 2,
}
JOBS, KONTEXTS = "jobs/createTask", "flux/kontext/generate"


def call(kie: Kie, method: str, path: str, **options: Any) -> httpx.Response:
    headers = {"authorization": f"Bearer {kie.key}"}
    return http.request(method, f"{kie.url}/api/{path}", headers=headers, **options)


def create(kie: Kie, body: Any = CREATE, path: str = JOBS) -> httpx.Response:
    return call(kie, "POST", f"v1/{path}", json=body)


def record(kie: Kie, task_id: str) -> dict[str, Any]:
    """`data` of recordInfo, or of Kontext's record-info."""
    path = "flux/kontext/record-info" if task_id.startswith("fluxkontext_") else "jobs/recordInfo"
    answer = call(kie, "GET", f"v1/{path}", params={"taskId": task_id}).json()
    assert (answer["code"], answer["msg"]) == (200, "success")
    return dict(answer["data"])


def ended(kie: Kie, answer: httpx.Response) -> dict[str, Any]:
    """The record of the task that was just created, after its end."""
    task_id = answer.json()["data"]["taskId"]
    return dict(until(lambda: record(kie, task_id), lambda data: data["completeTime"]))


def result_of(data: dict[str, Any]) -> str:
    [url] = json.loads(data["resultJson"])["resultUrls"]
    return str(url)


def test_a_job_goes_from_waiting_to_a_picture(kie: Kie):
    kie.stop_clock()
    kie.seconds = 100
    answer = create(kie)
    task_id = answer.json()["data"]["taskId"]
    assert answer.text == (
        f'{{"code":200,"msg":"success","data":{{"taskId":"{task_id}","recordId":"{task_id}"}}}}'
    )

    seen = []
    for _ in range(11):
        data = record(kie, task_id)
        seen += [data["state"]] if data["state"] not in seen else []
        if data["state"] != "success":
            assert (data["resultJson"], data["costTime"], data["completeTime"]) == ("", None, None)
        kie.ahead += 10

    assert seen == ["waiting", "queuing", "generating", "success"]
    assert " ".join(data) == (
        "taskId model state param resultJson failCode failMsg costTime completeTime createTime updateTime"
    )
    assert (data["taskId"], data["model"]) == (task_id, "google/nano-banana-edit")
    assert (data["failCode"], data["failMsg"], data["costTime"]) == ("", "", 100_000)
    assert data["completeTime"] == data["updateTime"] == data["createTime"] + 100_000
    assert json.loads(data["param"]) == CREATE == kie.tasks[0].request
    picture = http.get(result_of(data))
    assert (picture.headers["content-type"], opened(picture.content)) == ("image/png", ("PNG", (64, 64)))
    assert picture.content == kie.tasks[0].pictures[0].content
    assert kie.tasks[0].downloads == 1


def test_a_kontext_task_goes_from_flag_0_to_a_picture(kie: Kie):
    kie.stop_clock()
    kie.seconds = 100
    answer = create(kie, KONTEXT, KONTEXTS)
    task_id = answer.json()["data"]["taskId"]
    assert task_id.startswith("fluxkontext_")
    assert answer.text == f'{{"code":200,"msg":"success","data":{{"taskId":"{task_id}"}}}}'

    early = record(kie, task_id)
    assert (early["successFlag"], early["response"], early["completeTime"]) == (0, None, None)
    kie.ahead += 100
    data = record(kie, task_id)
    assert " ".join(data) == (
        "taskId paramJson createTime completeTime response successFlag errorCode errorMessage"
    )
    assert (data["successFlag"], data["errorCode"], data["errorMessage"]) == (1, 0, "")
    assert json.loads(data["paramJson"]) == KONTEXT
    assert list(data["response"]) == ["originImageUrl", "resultImageUrl"]
    for url in data["response"].values():
        assert http.get(url).content == kie.tasks[0].pictures[0].content
    kie.ahead += 600
    assert http.get(data["response"]["originImageUrl"]).status_code == 404
    assert http.get(data["response"]["resultImageUrl"]).status_code == 200
    kie.ahead += 14 * 86400
    assert http.get(data["response"]["resultImageUrl"]).status_code == 404


@pytest.mark.parametrize(
    ("model", "inputs", "result", "credits"),
    [
        ("google/nano-banana", {"image_size": "16:9"}, ("PNG", (1360, 768)), 4),
        (
            "google/nano-banana-edit",
            {"image_urls": [SOFA], "output_format": "jpeg"},
            ("JPEG", (1024, 1024)),
            4,
        ),
        ("nano-banana-2", {"image_input": [SOFA] * 14}, ("JPEG", (1024, 1024)), 4),
        ("nano-banana-2-1", {"resolution": "2K", "aspect_ratio": "1:1"}, ("JPEG", (2048, 2048)), 6),
        ("nano-banana-2-lite", {"image_urls": [SOFA]}, ("PNG", (1024, 1024)), 4),
        ("nano-banana-pro", {"output_format": "jpg"}, ("JPEG", (1024, 1024)), 4),
        (
            "flux-2/pro-image-to-image",
            {"input_urls": [SOFA], "aspect_ratio": "4:3", "resolution": "1K"},
            ("PNG", (1184, 880)),
            4,
        ),
        (
            "gpt-image-2-5-sunburst-image-to-image",
            {"input_urls": [SOFA], "aspect_ratio": "27:16"},
            ("PNG", (1328, 784)),
            6,
        ),
        ("gpt-image-2-5-flare-text-to-image", {"resolution": "2K"}, ("PNG", (2048, 2048)), 10),
        ("seedream/5-pro-image-to-image", {"image_urls": [SOFA]}, ("PNG", (2048, 2048)), 4),
    ],
)
def test_each_model_has_its_own_fields_and_results(
    kie: Kie, model: str, inputs: dict[str, Any], result: tuple[str, tuple[int, int]], credits: int
):
    kie.longest_side = None

    data = ended(kie, create(kie, {"model": model, "input": {"prompt": "a red chair", **inputs}}))

    assert data["state"] == "success"
    assert opened(http.get(result_of(data)).content) == result
    assert call(kie, "GET", "v1/chat/credit").json()["data"] == 1234.5 - credits


@pytest.mark.parametrize(
    ("extra", "result"),
    [
        ({}, ("JPEG", (1360, 768))),
        ({"aspectRatio": "1:1", "outputFormat": "png", "safetyTolerance": 6}, ("PNG", (1024, 1024))),
    ],
)
def test_kontext_makes_pictures_from_text(kie: Kie, extra: dict[str, Any], result: Any):
    kie.longest_side = None

    data = ended(kie, create(kie, {"prompt": "a red chair", **extra}, KONTEXTS))

    assert opened(http.get(data["response"]["resultImageUrl"]).content) == result


def test_the_key_check_returns_the_credits(kie: Kie):
    answer = call(kie, "GET", "v1/chat/credit")

    assert answer.text == '{"code":200,"msg":"success","data":1234.5}'
