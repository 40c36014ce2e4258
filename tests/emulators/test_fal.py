"""The emulator of fal follows the contract: the queue from submit to result, and the models' inputs."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.checks import http, opened, photo
from tests.emulators.fal import Fal
from tests.emulators.fal.client import (
    FLUX_2,
    KONTEXT,
    PHOTO,
    SOFA,
    SOFAS,
    cancel,
    get,
    problem,
    result,
    status,
    submit,
)


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        yield emulator


def test_a_request_goes_from_the_queue_to_a_picture(fal: Fal):
    fal.stop_clock()
    fal.seconds = 10

    answer = submit(fal, {**SOFA, "seed": 4242}, endpoint=f"{KONTEXT}/max")

    assert answer.status_code == 200
    submitted = answer.json()
    assert list(submitted) == [
        "status", "request_id", "gateway_request_id", "queue_position",
        "response_url", "status_url", "cancel_url",
    ]  # fmt: skip
    request_id = submitted["request_id"]
    base = f"{fal.url}/fal-ai/flux-pro/requests/{request_id}"
    urls = {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}
    assert submitted == {
        "status": "IN_QUEUE",
        "request_id": request_id,
        "gateway_request_id": request_id,
        "queue_position": 0,
        **urls,
    }
    assert answer.headers["x-fal-request-id"] == request_id
    about = {"request_id": request_id, **urls}
    assert status(fal, answer) == {"status": "IN_PROGRESS", "logs": None, **about}
    early = get(fal, base)
    assert (early.status_code, early.json()) == (400, {"detail": "Request is still in progress", **about})
    fal.ahead += 5
    [*_, line] = get(fal, f"{base}/status?logs=1").json()["logs"]
    assert (line["message"], line["level"], line["source"]) == ("step 14/28", "INFO", "USER")
    assert line["timestamp"].endswith("Z")
    fal.ahead += 5
    done = {"status": "COMPLETED", "logs": None, **about, "metrics": {"inference_time": 10}}
    assert status(fal, answer) == done
    output = get(fal, base).json()
    [image] = output.pop("images")
    assert output == {
        "seed": 4242,
        "timings": {"inference": 10},
        "has_nsfw_concepts": [False],
        "prompt": "make the sofa green",
    }
    assert list(image) == ["url", "width", "height", "content_type"]
    [task] = fal.tasks
    file = http.get(image["url"])  # without the key
    assert file.headers["content-type"] == image["content_type"] == "image/jpeg"
    assert file.content == task.pictures[0].content
    assert (task.polls, task.downloads) == (3, 1)


@pytest.mark.parametrize("form", ["fal-ai/flux-pro/requests/{}/response", f"{KONTEXT}/requests/{{}}"])
def test_results_are_served_at_their_longer_urls_too(fal: Fal, form: str):
    submitted = submit(fal)
    expected = result(fal, submitted).json()

    assert get(fal, f"{fal.url}/{form.format(submitted.json()['request_id'])}").json() == expected


def test_a_request_is_not_found_under_another_application(fal: Fal):
    request_id = submit(fal).json()["request_id"]

    assert get(fal, f"{fal.url}/fal-ai/flux-2-pro/requests/{request_id}/status").status_code == 404


@pytest.mark.parametrize(
    ("endpoint", "values", "size", "format"),
    [
        (KONTEXT, SOFA, (1152, 912), "JPEG"),
        (KONTEXT, {**SOFA, "aspect_ratio": "16:9", "output_format": "png"}, (1360, 768), "PNG"),
        (f"{KONTEXT}/multi", {**SOFAS, "aspect_ratio": "1:1"}, (1024, 1024), "JPEG"),
        (f"{KONTEXT}/text-to-image", {"prompt": "a red chair"}, (1024, 1024), "JPEG"),
        ("fal-ai/flux-kontext/dev", {**SOFA, "resolution_mode": "2:3"}, (832, 1248), "JPEG"),
        (FLUX_2, {**SOFAS, "image_size": "portrait_16_9"}, (576, 1024), "JPEG"),
        (FLUX_2, {**SOFAS, "image_size": {"width": 640, "height": 480}}, (640, 480), "JPEG"),
        ("fal-ai/flux-2-max", {"prompt": "a red chair"}, (1024, 768), "JPEG"),
        ("blackforestlabs/flux-3/edit-image", SOFAS, (1152, 912), "JPEG"),
    ],
)
def test_results_have_the_size_and_format_requested(
    fal: Fal, endpoint: str, values: Any, size: tuple[int, int], format: str
):
    fal.longest_side = None

    [image] = result(fal, submit(fal, values, endpoint=endpoint)).json()["images"]

    assert (image["width"], image["height"]) == size
    assert opened(http.get(image["url"]).content) == (format, size)


def test_flux_2_returns_file_names_and_sizes_but_no_timings(fal: Fal):
    output = result(fal, submit(fal, SOFAS, endpoint=FLUX_2)).json()

    assert set(output) == {"images", "seed"}
    [image] = output["images"]
    assert image["url"].endswith(image["file_name"])
    assert image["file_size"] == len(http.get(image["url"]).content)


def test_sync_mode_puts_several_pictures_into_the_response(fal: Fal):
    output = result(fal, submit(fal, {**SOFA, "num_images": 2, "sync_mode": True})).json()

    contents = [b64decode(image["url"].removeprefix("data:image/jpeg;base64,")) for image in output["images"]]
    assert contents == [picture.content for picture in fal.tasks[0].pictures]
    assert contents[0] != contents[1]
    assert output["has_nsfw_concepts"] == [False, False]


def test_unknown_fields_are_ignored_but_recorded(fal: Fal):
    submitted = submit(fal, {**SOFA, "image_urls": [], "strength": 0.5})

    assert result(fal, submitted).status_code == 200
    assert fal.tasks[0].ignored == {"image_urls", "strength"}  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("endpoint", "change", "kind", "loc"),
    [
        (KONTEXT, {"prompt": ...}, "missing", ["body", "prompt"]),
        (KONTEXT, {"image_url": ...}, "missing", ["body", "image_url"]),
        (KONTEXT, {"prompt": 7}, "string_type", ["body", "prompt"]),
        (KONTEXT, {"guidance_scale": 21}, "less_than_equal", ["body", "guidance_scale"]),
        (KONTEXT, {"num_images": 0}, "greater_than_equal", ["body", "num_images"]),
        (KONTEXT, {"safety_tolerance": 2}, "literal_error", ["body", "safety_tolerance"]),
        (KONTEXT, {"output_format": "webp"}, "literal_error", ["body", "output_format"]),
        (KONTEXT, {"image_url": "data:image/png;base64,AAAA"}, "image_load_error", ["body", "image_url"]),
        (KONTEXT, {"image_url": "data:image/png,AAAA"}, "file_download_error", ["body", "image_url"]),
        (KONTEXT, {"image_url": "room.png"}, "file_download_error", ["body", "image_url"]),
        (FLUX_2, {"image_urls": [PHOTO] * 9}, "too_long", ["body", "image_urls"]),
        (FLUX_2, {"image_urls": [PHOTO, "x"]}, "file_download_error", ["body", "image_urls", 1]),
        (FLUX_2, {"safety_tolerance": "6"}, "literal_error", ["body", "safety_tolerance"]),
        ("fal-ai/flux-kontext/dev", {"num_inference_steps": 51}, "less_than_equal", None),
    ],
)
def test_an_input_that_breaks_a_rule_is_refused_at_the_result(
    fal: Fal, endpoint: str, change: dict[str, Any], kind: str, loc: list[str | int] | None
):
    whole = {**(SOFAS if endpoint == FLUX_2 else SOFA), **change}
    submitted = submit(
        fal, {name: value for name, value in whole.items() if value is not ...}, endpoint=endpoint
    )

    assert submitted.status_code == 200
    found = problem(result(fal, submitted))

    assert found["type"] == kind
    assert found["loc"] == loc or loc is None
    assert "error" not in status(fal, submitted)
    assert not fal.tasks[0].pictures


def test_flux_3_refuses_images_that_are_too_small_or_too_large(fal: Fal):
    small = f"data:image/png;base64,{b64encode(photo(255, 300)).decode()}"
    large = f"data:image/png;base64,{b64encode(photo(2100, 2100)).decode()}"
    endpoint = "blackforestlabs/flux-3/edit-image"

    found = [
        problem(result(fal, submit(fal, {**SOFAS, "image_urls": [PHOTO, url]}, endpoint=endpoint)))
        for url in (small, large)
    ]

    assert [each["type"] for each in found] == ["image_too_small", "image_too_large"]
    assert found[0]["loc"] == ["body", "image_urls", 1]
    assert found[0]["ctx"] == {"min_height": 256, "min_width": 256}


def test_an_unknown_path_of_an_application_fails_at_the_result(fal: Fal):
    answer = result(fal, submit(fal, endpoint="fal-ai/flux-pro/kontext/ultra"))

    assert (answer.status_code, answer.json()) == (404, {"detail": "Path /kontext/ultra not found"})


def test_queued_requests_have_a_position_and_start_in_order(fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    fal.queue.concurrency = 1

    first, second, third = (submit(fal) for _ in range(3))

    assert [answer.json()["queue_position"] for answer in (first, second, third)] == [0, 0, 1]
    assert status(fal, second)["queue_position"] == 0
    assert (status(fal, third)["status"], status(fal, third)["queue_position"]) == ("IN_QUEUE", 1)
    fal.ahead += 11
    assert [status(fal, answer)["status"] for answer in (first, second, third)] == [
        "COMPLETED", "IN_PROGRESS", "IN_QUEUE",
    ]  # fmt: skip
    assert status(fal, third)["queue_position"] == 0
    assert len(fal.active()) == 2


def test_a_cancel_frees_the_slot_for_the_next_request(fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    fal.queue.concurrency = 1
    first, second, third = (submit(fal) for _ in range(3))

    waiting, running = cancel(fal, second), cancel(fal, first)

    assert (waiting.status_code, waiting.json()) == (200, {"status": "OK"})
    assert (running.status_code, running.json()) == (202, {"status": "CANCELLATION_REQUESTED"})
    assert status(fal, third)["status"] == "IN_PROGRESS"
    view = status(fal, first)
    assert (view["status"], view["logs"]) == ("COMPLETED", None)
    assert (view["error"], view["error_type"]) == ("Request was cancelled", "client_cancelled")
    gone = get(fal, first.json()["response_url"])
    assert gone.status_code == 499
    assert gone.headers["x-fal-error-type"] == gone.json()["error_type"] == "client_cancelled"
    late = cancel(fal, first)
    assert (late.status_code, late.json()) == (400, {"status": "ALREADY_COMPLETED"})
    fal.ahead += 11
    assert len(result(fal, third).json()["images"]) == 1


def test_a_request_that_waits_too_long_times_out(fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    fal.queue.concurrency = 1
    submit(fal)

    impatient = submit(fal, headers={"x-fal-request-timeout": "2"})

    fal.ahead += 3
    assert status(fal, impatient)["error_type"] == "request_timeout"
    late = get(fal, impatient.json()["response_url"])
    assert (late.status_code, late.headers["x-fal-request-timeout-type"]) == (504, "user")


def test_a_submit_to_a_queue_that_is_too_long_is_refused(fal: Fal):
    fal.stop_clock()
    fal.seconds = 10
    fal.queue.concurrency = 1
    submit(fal)
    assert submit(fal, fal_max_queue_length="0").status_code == 200

    assert submit(fal, fal_max_queue_length="0").status_code == 429


def test_the_status_can_be_streamed(fal: Fal):
    fal.stop_clock()
    submitted = submit(fal)
    url, headers = submitted.json()["status_url"] + "/stream?logs=1", {"authorization": f"Key {fal.key}"}

    text = ""
    with http.stream("GET", url, headers=headers) as answer:
        for part in answer.iter_text():
            text += part
            fal.ahead = 1  # only after IN_PROGRESS was received

    assert answer.headers["content-type"].startswith("text/event-stream")
    views = [json.loads(frame.removeprefix("data: ")) for frame in text.split("\n\n") if frame]
    assert [views[0]["status"], views[-1]["status"]] == ["IN_PROGRESS", "COMPLETED"]
    assert views[-1]["logs"]


def test_the_synchronous_run_returns_the_output(fal: Fal):
    headers = {"authorization": f"Key {fal.key}"}

    answer = http.post(f"{fal.url}/fal.run/{KONTEXT}", json=SOFA, headers=headers)
    refused = http.post(f"{fal.url}/fal.run/{KONTEXT}", json={}, headers=headers)

    assert answer.json()["images"][0]["url"].startswith(f"{fal.url}/files/")
    assert problem(refused)["type"] == "missing"


def test_files_are_kept_as_long_as_requested(fal: Fal):
    preference = {"x-fal-object-lifecycle-preference": '{"expiration_duration_seconds":3600}'}
    url = result(fal, submit(fal, headers=preference)).json()["images"][0]["url"]

    assert http.get(url).status_code == 200
    fal.ahead += 3601
    assert http.get(url).status_code == 404
