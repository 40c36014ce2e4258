"""The emulator of BFL follows the contract: its examples, the models, links and webhooks."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import httpx
import pytest

from tests.emulators.bfl import Bfl
from tests.emulators.bfl.app import sign
from tests.emulators.checks import http, opened, photo, until
from tests.emulators.receiver import Receiver

PHOTO = base64.b64encode(photo()).decode()


SKY = {"prompt": "make the sky stormy", "input_image": PHOTO, "seed": 42}


def submit(bfl: Bfl, body: Any = SKY, model: str = "flux-kontext-pro", **options: Any) -> httpx.Response:
    headers = {"x-key": bfl.key}
    return http.post(f"{bfl.url}/v1/{model}", json=body, headers=headers, **options)


def final(polling_url: str) -> dict[str, Any]:
    """The response of the first poll whose status is not Pending."""
    answer: dict[str, Any] = until(
        lambda: http.get(polling_url).json(), lambda body: body["status"] != "Pending"
    )
    return answer


def test_an_edit_goes_from_pending_to_a_picture(bfl: Bfl):
    bfl.stop_clock()
    bfl.seconds = 10

    answer = submit(bfl, {**SKY, "aspect_ratio": "16:9", "output_format": "png", "safety_tolerance": 2})

    assert answer.status_code == 200
    body = answer.json()
    assert list(body) == ["id", "polling_url", "cost", "input_mp", "output_mp"]
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", body["id"])
    assert body["polling_url"] == f"{bfl.url}/v1/get_result?id={body['id']}"
    assert (body["cost"], body["input_mp"]) == (4.0, 0.08)
    first = http.get(body["polling_url"])
    assert first.text == (
        f'{{"id":"{body["id"]}","status":"Pending","result":null,"progress":0.1,"details":null,"preview":null}}'
    )
    bfl.ahead += 10
    ready = http.get(body["polling_url"]).json()
    assert list(ready) == ["id", "status", "result", "progress", "details", "preview", "cost"]
    assert (ready["status"], ready["progress"], ready["details"]) == ("Ready", None, None)
    result = ready["result"]
    assert list(result) == ["sample", "prompt", "seed", "start_time", "end_time", "duration"]
    assert (result["prompt"], result["seed"]) == ("make the sky stormy", 42)
    assert result["end_time"] - result["start_time"] == pytest.approx(10)
    sample = http.get(result["sample"])
    assert sample.headers["content-type"] == "image/png"
    assert opened(sample.content) == ("PNG", (64, 36))
    [task] = bfl.tasks
    assert sample.content == task.pictures[0].content
    assert (task.id, task.polls, task.downloads) == (body["id"], 2, 1)
    assert task.request["input_image"] == PHOTO
    assert task.headers["x-key"] == bfl.key


@pytest.mark.parametrize(
    ("model", "extra", "size", "format", "cost"),
    [
        ("flux-kontext-pro", {}, (1152, 912), "PNG", 4.0),
        ("flux-kontext-max", {"aspect_ratio": "1:1"}, (1024, 1024), "PNG", 8.0),
        ("flux-2-pro", {}, (320, 256), "JPEG", 4.5),
        ("flux-2-pro", {"width": 1440, "height": 1450, "output_format": "webp"}, (1440, 1440), "WEBP", 6.0),
        ("flux-2-max", {"input_image_8": PHOTO}, (320, 256), "JPEG", 10.0),
        ("flux-2-flex", {"guidance": 4.5, "steps": 20}, (320, 256), "JPEG", 10.0),
        ("flux-2-klein-4b", {}, (320, 256), "JPEG", 1.5),
        ("flux-2-klein-9b", {}, (320, 256), "JPEG", 1.7),
        ("flux-pro-1.1", {"width": 512}, (512, 768), "JPEG", 4.0),
        ("flux-dev", {}, (1024, 768), "JPEG", 2.5),
        ("flux-pro-1.1-ultra", {}, (2720, 1536), "JPEG", 6.0),
        ("flux-pro-1.0-fill", {"image": PHOTO, "mask": PHOTO}, (320, 256), "JPEG", 5.0),
        ("flux-pro-1.0-expand", {"image": PHOTO, "left": 100, "top": 20}, (420, 276), "JPEG", 5.0),
    ],
)
def test_every_model_has_its_own_sizes_formats_and_price(
    bfl: Bfl, model: str, extra: dict[str, Any], size: tuple[int, int], format: str, cost: float
):
    bfl.longest_side = None

    answer = submit(bfl, SKY | extra, model).json()

    assert answer["cost"] == cost
    content = http.get(final(answer["polling_url"])["result"]["sample"]).content
    assert opened(content) == (format, size)
    assert http.get(f"{bfl.url}/v1/credits", headers={"x-key": bfl.key}).json() == {"credits": 1000 - cost}


def test_text_alone_makes_a_picture_and_unknown_fields_are_ignored(bfl: Bfl):
    body = submit(bfl, {"prompt": "a red chair", "width": 512, "style": "oil"}).json()

    assert (body["input_mp"], body["output_mp"]) == (0.0, 1.0)
    assert final(body["polling_url"])["status"] == "Ready"


def test_pictures_may_be_urls_which_are_fetched_from_this_machine_only(bfl: Bfl):
    first = submit(bfl).json()
    near = final(first["polling_url"])["result"]["sample"]

    assert submit(bfl, {"prompt": "x", "input_image": near}).status_code == 200
    assert submit(bfl, {"prompt": "x", "input_image": f"{bfl.url}/nothing.png"}).status_code == 400
    assert submit(bfl, {"prompt": "x", "input_image": "https://example.com/a.jpg"}).json()["input_mp"] == 1.0


def test_links_expire_ten_minutes_after_the_work_and_are_signed_anew(bfl: Bfl):
    bfl.stop_clock()
    polling_url = submit(bfl).json()["polling_url"]
    bfl.ahead += 1
    result = final(polling_url)["result"]
    link = httpx.URL(result["sample"])
    assert sorted(link.params) == ["rsct", "se", "sig", "sp", "sr", "sv"]
    assert link.path.endswith("/sample.png")

    bfl.ahead += 590
    assert http.get(link).status_code == 200
    forged = http.get(link.copy_set_param("se", "2099-01-01T00:00:00Z"))
    bfl.ahead += 11
    expired = http.get(link)
    for answer in (forged, expired):
        assert (answer.status_code, answer.headers["content-type"]) == (403, "application/xml")
        assert "<Code>AuthenticationFailed</Code>" in answer.text
    assert http.get(final(polling_url)["result"]["sample"]).status_code == 200


def test_a_task_may_be_on_another_host_than_the_api(bfl: Bfl):
    bfl.regional = True
    body = submit(bfl).json()

    assert body["polling_url"].startswith("http://localhost:")
    assert final(body["polling_url"])["status"] == "Ready"
    assert http.get(f"{bfl.url}/v1/get_result?id={body['id']}").json()["status"] == "Task not found"


def test_newer_models_report_more_statuses(bfl: Bfl):
    bfl.stop_clock()
    bfl.newer, bfl.seconds = True, 10
    polling_url = submit(bfl).json()["polling_url"]

    reported_states = []
    for _ in range(3):
        answer = http.get(polling_url).json()
        reported_states.append((answer["status"], answer["progress"]))
        bfl.ahead += 4
    assert reported_states == [("Pending", 0.1), ("Reasoning", 0.4), ("Generating", 0.8)]


def test_webhooks_send_the_result_and_are_signed(bfl: Bfl):
    with Receiver() as receiver:
        receiver.answers = [500]
        answer = submit(bfl, {**SKY, "webhook_url": receiver.url, "webhook_secret": "test-webhook-secret"})
        body = answer.json()
        assert list(body) == ["id", "status", "webhook_url", "cost", "input_mp", "output_mp"]
        assert (body["status"], body["webhook_url"]) == ("Pending", receiver.url)
        first, second = receiver.wait(2)  # the first attempt got a 500

    assert first[1] == second[1]
    headers, content = second
    reported = json.loads(content)
    assert (reported["id"], reported["task_id"], reported["status"]) == (body["id"], body["id"], "Ready")
    assert http.get(reported["result"]["sample"]).content == bfl.tasks[0].pictures[0].content
    assert headers["x-bfl-signature"] == sign("test-webhook-secret", content)


def test_the_signature_matches_the_test_vector():
    body = b'{"id":"7b32ef80-0000-4000-8000-000000000001","status":"Ready"}'

    assert sign("test-webhook-secret", body) == (
        "sha256=88fc40491be3d1273a5125720e0c6c0aa61b9c63cc7a5eeb1c62e568efd1dae6"
    )
