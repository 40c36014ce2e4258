"""The emulator of OpenAI follows the contract: its examples, and every fault."""

from __future__ import annotations

import json
import socket
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.emulators.checks import given_up, http, opened, photo, spoils_answers, until
from tests.emulators.faults import HUGE_SIZE, NOT_AN_IMAGE, Fault, Step
from tests.emulators.openai import OpenAi
from tests.emulators.openai.client import CHAIR, edit, error, generate, mask


@pytest.fixture
def emulator() -> Iterator[OpenAi]:
    with OpenAi(longest_side=64) as emulator:
        yield emulator


def test_a_generation_returns_the_picture(emulator: OpenAi):
    answer = generate(emulator)

    assert answer.status_code == 200
    assert answer.headers["openai-version"] == "2020-10-01"
    assert answer.headers["x-request-id"].startswith("req_")
    body = answer.json()
    assert list(body) == ["created", "data", "background", "output_format", "quality", "size", "usage"]
    assert (body["background"], body["output_format"], body["quality"]) == ("opaque", "png", "medium")
    usage = body["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert usage["input_tokens_details"] == {"text_tokens": 2, "image_tokens": 0}
    [task] = emulator.tasks
    [picture] = body["data"]
    assert list(picture) == ["b64_json"]
    assert b64decode(picture["b64_json"]) == task.pictures[0].content
    assert (task.request, task.path) == (CHAIR, "/v1/images/generations")


def test_an_edit_takes_several_images_and_a_mask_in_any_order_of_parts(emulator: OpenAi):
    emulator.longest_side = None
    boundary = "B"
    parts: list[tuple[str, str, bytes]] = [
        ('name="image[]"; filename="room.png"', "image/png", photo()),
        ('name="model"', "", b"gpt-image-2.6-sunburst"),
        ('name="mask"; filename="m.png"', "image/png", mask()),
        ('name="prompt"', "", b"make the sofa green"),
        ('name="image[]"; filename="sofa.webp"', "image/webp", photo(200, 300, "WEBP")),
        ('name="size"', "", b"1536x1024"),
    ]
    lines = [
        f"--{boundary}\r\nContent-Disposition: form-data; {name}\r\n".encode()
        + (f"Content-Type: {kind}\r\n" if kind else "").encode()
        + b"\r\n"
        + content
        + b"\r\n"
        for name, kind, content in parts
    ]

    answer = http.post(
        f"{emulator.url}/v1/images/edits",
        content=b"".join(lines) + f"--{boundary}--\r\n".encode(),
        headers={
            "authorization": f"Bearer {emulator.key}",
            "content-type": f"multipart/form-data; boundary={boundary}",
        },
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["size"] == "1536x1024"
    content = b64decode(answer.json()["data"][0]["b64_json"])
    assert opened(content) == ("PNG", (1536, 1024))
    [task] = emulator.tasks
    assert content == task.pictures[0].content
    assert [upload.filename for upload in task.request["image"]] == ["room.png", "sofa.webp"]
    assert task.request["image"][0].content == photo()
    assert task.request["mask"].content == mask()


@pytest.mark.parametrize(
    ("fields", "size", "format"),
    [
        ({"size": "auto"}, (1136, 928), "PNG"),  # about the ratio of the first image, 5:4
        ({"size": "auto", "model": "gpt-image-1.5"}, (1024, 1024), "PNG"),
        ({"size": "1024x1536", "model": "gpt-image-1-mini", "input_fidelity": "low"}, (1024, 1536), "PNG"),
        ({"size": "3840x2160", "quality": "max"}, (3840, 2160), "PNG"),
        ({"output_format": "jpeg", "output_compression": "90"}, (1536, 1024), "JPEG"),
        ({"output_format": "webp", "background": "transparent"}, (1536, 1024), "WEBP"),
    ],
)
def test_results_have_the_size_and_format_requested(
    emulator: OpenAi, fields: dict[str, str], size: tuple[int, int], format: str
):
    emulator.longest_side = None

    body = edit(emulator, fields).json()

    assert body["size"] == f"{size[0]}x{size[1]}"
    assert "auto" not in (body["quality"], body["background"])
    assert opened(b64decode(body["data"][0]["b64_json"])) == (format, size)


def test_several_pictures_differ(emulator: OpenAi):
    data = generate(emulator, {**CHAIR, "n": 3}).json()["data"]

    assert len({picture["b64_json"] for picture in data}) == 3


def test_the_list_of_models_checks_a_key(emulator: OpenAi):
    headers = {"authorization": f"Bearer {emulator.key}"}

    listed = http.get(f"{emulator.url}/v1/models", headers=headers).json()
    one = http.get(f"{emulator.url}/v1/models/gpt-image-2", headers=headers).json()

    assert one in listed["data"]
    gone = error(http.get(f"{emulator.url}/v1/models/gpt-image-1", headers=headers), 404)
    assert gone["code"] == "model_not_found"


def events(answer: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames = [frame.split("\n", 1) for frame in answer.text.split("\n\n") if frame]
    return [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in frames]


def test_a_stream_sends_partial_pictures_and_then_the_final_one(emulator: OpenAi):
    got = events(edit(emulator, {"stream": "true", "partial_images": "2"}))

    assert [name for name, _ in got] == ["image_edit.partial_image"] * 2 + ["image_edit.completed"]
    assert all(data["type"] == name for name, data in got)
    assert [data.get("partial_image_index") for _, data in got] == [0, 1, None]
    final = got[-1][1]
    assert list(final)[1:] == [
        "b64_json", "created_at", "background", "output_format", "quality", "size", "usage",
    ]  # fmt: skip
    assert b64decode(final["b64_json"]) == emulator.tasks[0].pictures[0].content
    assert len({data["b64_json"] for _, data in got}) == 3


def test_a_stream_that_fails_ends_with_an_error(emulator: OpenAi):
    emulator.script.next_submit = [Fault.FAILED, Fault.RESULT_MODERATED, Fault.EMPTY_RESULT]
    body = {**CHAIR, "stream": True, "partial_images": 1}

    failed, blocked, empty = (events(generate(emulator, body)) for _ in range(3))

    assert [name for name, _ in failed] == ["image_generation.partial_image", "error"]
    assert failed[-1][1]["error"]["type"] == "server_error"
    assert blocked[-1][1]["error"]["code"] == "moderation_blocked"
    assert empty == []


@pytest.mark.parametrize(
    ("fault", "status", "kind", "code", "retry_after"),
    [
        (Fault.WRONG_KEY, 401, "invalid_request_error", "invalid_api_key", None),
        (Fault.OUT_OF_FUNDS, 429, "insufficient_quota", "insufficient_quota", None),
        (Fault.RATE_LIMITED, 429, "requests", "rate_limit_exceeded", None),
        (Fault.RATE_LIMITED_RETRY_AFTER, 429, "requests", "rate_limit_exceeded", "1"),
        (Fault.SERVER_ERROR, 500, "server_error", "server_error", None),
        (Fault.OVERLOADED, 503, "service_unavailable_error", "server_is_overloaded", None),
        (Fault.FORBIDDEN, 403, "invalid_request_error", None, None),
        (Fault.SPEND_CAP, 400, "invalid_request_error", "billing_hard_limit_reached", None),
        (Fault.PROMPT_MODERATED, 400, "image_generation_user_error", "moderation_blocked", None),
    ],
)
def test_a_refusal_creates_no_task(
    emulator: OpenAi, fault: Fault, status: int, kind: str, code: str | None, retry_after: str | None
):
    emulator.script.next_submit = [fault]

    answer = generate(emulator)

    refused = error(answer, status)
    assert (refused["type"], refused["code"]) == (kind, code)
    assert answer.headers.get("retry-after") == retry_after
    assert not emulator.tasks
    assert generate(emulator).status_code == 200


def test_a_moderated_prompt_and_a_moderated_result(emulator: OpenAi):
    emulator.script.next_submit = [Fault.PROMPT_MODERATED, Fault.RESULT_MODERATED]

    first, second = error(generate(emulator), 400), error(generate(emulator), 400)

    assert first["moderation_details"] == {"moderation_stage": "input", "categories": ["sexual"]}
    assert second["moderation_details"]["moderation_stage"] == "output"
    assert second["code"] == "moderation_blocked"
    assert len(emulator.tasks) == 1


def test_work_can_fail_be_empty_or_return_a_web_page(emulator: OpenAi):
    emulator.script.next_submit = [Fault.FAILED, Fault.EMPTY_RESULT, Fault.NOT_AN_IMAGE]

    assert error(generate(emulator), 500)["type"] == "server_error"
    assert generate(emulator).json()["data"] == []
    assert b64decode(generate(emulator).json()["data"][0]["b64_json"]) == NOT_AN_IMAGE
    assert len(emulator.tasks) == 3


def test_spoilt_responses_are_of_finished_work(emulator: OpenAi):
    spoils_answers(emulator, Step.SUBMIT, lambda: generate(emulator))

    assert len(emulator.tasks) == 3


def test_a_call_that_never_ends_holds_the_connection(emulator: OpenAi):
    emulator.script.always[Step.SUBMIT] = Fault.NEVER_FINISHES

    for number, body in enumerate((CHAIR, {**CHAIR, "stream": True}), 1):
        with (
            pytest.raises(httpx.ReadTimeout),
            given_up(once=lambda number=number: len(emulator.tasks) == number),  # type: ignore[misc]
        ):
            generate(emulator, body)

    assert len(emulator.active()) == 2


def test_a_client_that_disconnects_while_sending_creates_no_task(emulator: OpenAi):
    address = httpx.URL(emulator.url)
    head = (
        "POST /v1/images/generations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"authorization: Bearer {emulator.key}\r\ncontent-length: 1000\r\n\r\n"
    )

    with socket.create_connection((address.host, address.port)) as connection:
        connection.sendall(head.encode() + b'{"model":')

    until(lambda: [call.status for call in emulator.calls], lambda statuses: statuses == [499])
    assert not emulator.tasks


@pytest.mark.parametrize("fault", [Fault.HUGE, Fault.HUGE_UNANNOUNCED])
def test_a_huge_response_is_streamed(emulator: OpenAi, fault: Fault):
    emulator.script.next_submit = [fault]
    headers = {"authorization": f"Bearer {emulator.key}"}
    url = f"{emulator.url}/v1/images/generations"

    with http.stream("POST", url, json=CHAIR, headers=headers) as answer:
        size = int(answer.headers.get("content-length", 0))
        taken = bytearray()
        for chunk in answer.iter_raw():
            taken += chunk
            if len(taken) > 1_000_000:
                break

    assert HUGE_SIZE - 4 < size <= HUGE_SIZE if fault is Fault.HUGE else size == 0
    start = taken.partition(b'"b64_json":"')[2][:400]
    assert b64decode(start) == emulator.tasks[0].pictures[0].content[:300]
