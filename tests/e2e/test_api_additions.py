"""Optional features of the public API beyond its document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests import ask
from tests.e2e.api import PICTURE, STANDARD, Api
from tests.e2e.portal import LASTING
from tests.factories import photo
from tests.patience import PATIENCE, wait_until

EDIT: dict[str, Any] = {"prompt": "a quiet harbour", "model_tier": "standard"}
SLOW: dict[str, Any] = {**EDIT, "prompt": f"{LASTING} a quiet harbour"}


@pytest.fixture(scope="module")
def http(api: Api) -> httpx.Client:
    return api.http()


def send(http: httpx.Client, status: int = 201, **body: Any) -> dict[str, Any]:
    answer = http.post("/process", json=body)
    assert answer.status_code == status, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def ended(http: httpx.Client, job_id: str) -> dict[str, Any]:
    def job() -> dict[str, Any]:
        found: dict[str, Any] = http.get(f"/jobs/{job_id}").json()["data"]
        return found

    wait_until(lambda: job()["status"] not in ("pending", "processing"), otherwise=job)
    return job()


def events(answer: httpx.Response) -> Iterator[dict[str, str]]:
    """Server-sent events, field by field; comments are left out."""
    event: dict[str, str] = {}
    for line in answer.iter_lines():
        if not line:
            if event:
                yield event
            event = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = value


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"async": True}, {}),
        ({}, {"prefer": "respond-async"}),
    ],
)
def test_an_async_request_is_answered_at_once(
    http: httpx.Client, body: dict[str, Any], headers: dict[str, str]
) -> None:
    # The call would time out if it waited for the result.
    answer = http.post("/process", json={**SLOW, **body}, headers=headers)
    assert answer.status_code == 202, answer.text
    job = answer.json()["data"]
    assert job["status"] in ("pending", "processing")
    assert (job["credits_consumed"], job["credits_held"]) == (0, STANDARD)
    assert int(answer.headers["retry-after"]) > 0
    polled = http.get(httpx.URL(str(http.base_url)).join(answer.headers["location"])).json()["data"]
    assert polled["job_id"] == job["job_id"]
    assert http.post(f"/jobs/{job['job_id']}/cancel").status_code == 200
    quick = http.post("/process", json={**EDIT, **body}, headers=headers)
    assert quick.status_code == 202, quick.text
    done = ended(http, quick.json()["data"]["job_id"])
    assert (done["status"], done["credits_consumed"], done["credits_held"]) == ("completed", STANDARD, 0)


def test_the_events_of_a_job_can_be_followed_and_resumed(http: httpx.Client) -> None:
    job_id = send(http, 202, **{**EDIT, "prompt": "[slow:2] a quiet harbour", "async": True})["job_id"]
    with http.stream("GET", f"/jobs/{job_id}/events") as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-ratelimit-limit"]
        *steps, last = list(events(answer))
    assert last["event"] == "completed"
    assert json.loads(last["data"]) == http.get(f"/jobs/{job_id}").json()
    numbers = [int(step["id"]) for step in steps]
    assert numbers == sorted(set(numbers))
    assert steps[0]["event"] == "task_queue"
    assert steps[-1]["event"] == "task_postprocess_end"
    # Resume from the middle and from the end, also after the end of the job.
    for known in (len(steps) // 2, len(steps)):
        headers = {"last-event-id": steps[known - 1]["id"]}
        with http.stream("GET", f"/jobs/{job_id}/events", headers=headers) as answer:
            assert list(events(answer)) == [*steps[known:], last]


def test_canceling_a_job_refunds_its_credits(api: Api, http: httpx.Client) -> None:
    job_id = send(http, 202, **SLOW, **{"async": True})["job_id"]
    answer = http.post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.json()["data"]["job_id"]) == (200, job_id)
    assert ended(http, job_id)["status"] == "canceled"
    assert api.ledger(job_id) == [("hold", -STANDARD, STANDARD), ("release", STANDARD, -STANDARD)]
    again = http.post(f"/jobs/{job_id}/cancel")
    assert (again.status_code, again.json()["success"]) == (409, False)
    assert http.post(f"/jobs/{uuid4()}/cancel").status_code == 404
    assert job_id in {job["job_id"] for job in http.get("/jobs?status=canceled").json()["data"]}


def test_canceling_a_job_ends_the_call_that_waits_for_it(api: Api) -> None:
    answers: list[httpx.Response] = []
    with (
        httpx.Client(base_url=api.http().base_url, headers=api.http().headers, timeout=PATIENCE) as held,
        ThreadPoolExecutor(1) as pool,
    ):
        waiting = pool.submit(held.post, "/process", json={**EDIT, "prompt": f"{LASTING} a held call"})
        find = "SELECT id::text FROM editor_job WHERE prompt LIKE '%% a held call'"
        found = wait_until(lambda: api.portal.query(find))
        assert api.http().post(f"/jobs/{found[0][0]}/cancel").status_code == 200
        answers.append(waiting.result(PATIENCE))
    assert (answers[0].status_code, answers[0].json()["success"]) == (409, False)


def test_parameters_are_the_models_inputs(http: httpx.Client) -> None:
    parameters = {"aspectRatio": "16:9", "outputFormat": "png", "seed": 7}
    job = send(http, 201, **EDIT, parameters=parameters)
    assert {name: job["parameters"][name] for name in parameters} == parameters
    assert job["seed"] == 7
    (result,) = job["results"]
    assert result["content_type"] == "image/png"
    assert abs(result["width"] / result["height"] - 16 / 9) < 0.02
    assert (result["image_id"], result["url"]) == (job["result_image_id"], job["result_url"])
    wrong: Any
    for wrong in ({"nonsense": 1}, {"aspectRatio": "7:1"}, {"seed": []}, []):
        answer = http.post("/process", json={**EDIT, "parameters": wrong})
        assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_model_can_be_requested_instead_of_a_tier(http: httpx.Client) -> None:
    models = {model["id"]: model for model in http.get("/models").json()["data"]}
    name = "black-forest-labs/flux-2-pro"
    job = send(http, prompt="a quiet harbour", model=name)
    assert (job["model"], job["model_tier"]) == (name, None)
    assert job["credits_consumed"] == models[name]["credits"]
    estimate = http.post("/estimate-credits", json={"model": name}).json()["data"]
    assert (estimate["estimated_credits"], estimate["model"]) == (models[name]["credits"], name)
    assert http.post("/process", json={**EDIT, "model": name}).status_code == 400, "not both"
    assert http.post("/process", json={"prompt": "x", "model": "no/such"}).status_code == 400


def test_an_edit_can_have_a_mask_and_further_images(api: Api, http: httpx.Client) -> None:
    client = api.client()
    source, second = client.upload(PICTURE), client.upload(photo(colour="gold"))
    job = send(
        http,
        prompt="put image 2 onto image 1 at the top left",
        model="black-forest-labs/flux-2-pro",
        image_id=source,
        image_ids=[second],
    )
    used = (
        "SELECT image_id::text FROM editor_jobimage WHERE job_id = %s AND role <> 'mask' ORDER BY role DESC"
    )
    assert api.portal.query(used, job["job_id"]) == [(source,), (second,)]
    assert job["image_id"] == source

    mask = client.upload(photo(colour="white"))
    job = send(http, prompt="brighter", model="black-forest-labs/flux-fill", image_id=source, mask_id=mask)
    roles = "SELECT role FROM editor_jobimage WHERE job_id = %s ORDER BY role"
    assert api.portal.query(roles, job["job_id"]) == [("mask",), ("source",)]
    for wrong, status in (
        ({"mask_id": str(uuid4())}, 404),
        ({"image_ids": [str(uuid4())]}, 404),
        ({"image_ids": [source] * 17}, 400),
        ({"image_ids": source}, 400),
    ):
        assert http.post("/process", json={**EDIT, "image_id": source, **wrong}).status_code == status


def test_styles_characters_and_models_are_listed(http: httpx.Client) -> None:
    styles = http.get("/styles").json()["data"]
    assert {style["scope"] for style in styles} >= {"system"}
    assert send(http, 201, **EDIT, style_id=styles[0]["id"])["style_id"] == styles[0]["id"]
    assert http.get("/characters").json()["success"] is True
    tiers = {tier for model in http.get("/models").json()["data"] for tier in model["tiers"]}
    assert tiers == {"pro", "standard", "creative"}


def test_read_and_write_scopes_allow_only_their_calls(api: Api) -> None:
    reader, writer = api.http("reader"), api.http("writer")
    job_id = send(writer, 201, **EDIT)["job_id"]
    reading = ["/jobs", f"/jobs/{job_id}", f"/jobs/{job_id}/events", "/models", "/styles", "/characters"]
    assert {reader.get(path).status_code for path in reading} == {200}
    assert {writer.get(path).status_code for path in reading} == {403}
    for path, body, status in (
        ("/upload-url", {"file_name": "x", "mime_type": "image/png"}, 201),
        ("/process", EDIT, 201),
        (f"/jobs/{job_id}/cancel", {}, 409),
    ):
        assert writer.post(path, json=body).status_code == status
        assert reader.post(path, json=body).status_code == 403
    assert reader.post("/estimate-credits", json={"model_tier": "pro"}).status_code == 200
    assert writer.post("/estimate-credits", json={"model_tier": "pro"}).status_code == 403


def test_head_and_options_are_refused_with_the_allowed_methods(http: httpx.Client) -> None:
    for path, allowed in (("/jobs", "GET"), ("/process", "POST"), ("/upload-url", "POST")):
        head, options = http.head(path), http.options(path)
        assert (head.status_code, head.content, head.headers["allow"]) == (405, b"", allowed)
        assert (options.status_code, options.headers["allow"]) == (405, allowed)
        assert options.json()["success"] is False


def test_too_many_concurrent_jobs_are_429(api: Api) -> None:
    busy = api.http("busy")
    job_id = send(busy, 202, **SLOW, **{"async": True})["job_id"]
    refused = busy.post("/process", json=EDIT)
    assert (refused.status_code, refused.json()["success"]) == (429, False)
    assert int(refused.headers["retry-after"]) > 0
    busy.post(f"/jobs/{job_id}/cancel")
    ended(busy, job_id)
    send(busy, 201, **EDIT)


def test_the_document_of_the_api_needs_no_key(api: Api) -> None:
    answer = ask.get(f"{api.portal.url}/api/v1/image-editor/openapi.json")
    assert answer.status_code == 200
    assert answer.json()["openapi"].startswith("3.1")
