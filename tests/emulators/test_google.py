"""The emulator of Google follows the contract: its examples, and every fault."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.emulators.checks import given_up, http, opened, photo, spoils_answers
from tests.emulators.faults import HUGE_SIZE, NOT_AN_IMAGE, UNKNOWN_WORD, Fault, Step
from tests.emulators.google import BLOCKED, Google
from tests.emulators.google.client import MODEL, SOFA, asking, error, generate


@pytest.fixture
def google() -> Iterator[Google]:
    with Google(longest_side=64) as emulator:
        yield emulator


def parts_of(answer: httpx.Response) -> list[dict[str, Any]]:
    [candidate] = answer.json()["candidates"]
    assert (candidate["finishReason"], candidate["index"]) == ("STOP", 0)
    assert candidate["content"]["role"] == "model"
    parts: list[dict[str, Any]] = candidate["content"]["parts"]
    return parts


def test_an_edit_returns_text_and_the_picture(google: Google):
    google.longest_side = None

    answer = generate(google)

    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert list(body) == ["candidates", "usageMetadata", "modelVersion", "responseId"]
    text, image = parts_of(answer)
    assert list(text) == ["text"]
    assert list(image) == ["inlineData", "thoughtSignature"]
    assert image["inlineData"]["mimeType"] == "image/png"
    content = b64decode(image["inlineData"]["data"])
    assert opened(content) == ("PNG", (2752, 1536))
    [task] = google.tasks
    assert content == task.pictures[0].content
    assert task.request == SOFA
    assert task.headers["x-goog-api-key"] == google.key
    usage = body["usageMetadata"]
    assert usage["promptTokensDetails"][1] == {"modality": "IMAGE", "tokenCount": 2 * 516}
    assert usage["totalTokenCount"] == sum(
        usage[name] for name in ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    )
    assert body["modelVersion"] == MODEL


def test_names_in_snake_case_and_urlsafe_base64_are_accepted(google: Google):
    data = urlsafe_b64encode(photo()).decode().rstrip("=")
    body = {
        "contents": [
            {"parts": [{"text": "green"}, {"inline_data": {"mime_type": "image/png", "data": data}}]}
        ],
        "generation_config": {"image_config": {"aspect_ratio": "1:1"}, "response_modalities": ["IMAGE"]},
    }

    answer = generate(google, body, version="v1")

    [image] = parts_of(answer)
    assert b64decode(image["inlineData"]["data"]) == google.tasks[0].pictures[0].content


@pytest.mark.parametrize(
    ("model", "config", "size"),
    [
        (MODEL, {}, (1024, 1024)),
        (MODEL, {"aspectRatio": "1:8"}, (384, 3072)),
        ("gemini-3-pro-image", {"aspectRatio": "4:3", "imageSize": "4K"}, (4800, 3584)),
        ("gemini-3.1-flash-image", {"imageSize": "512"}, (512, 512)),
        ("gemini-3.1-flash-lite-image", {"imageSize": "1K", "aspectRatio": "3:2"}, (1264, 848)),
        ("gemini-2.5-flash-image", {"aspectRatio": "16:9"}, (1344, 768)),
    ],
)
def test_results_have_the_pixels_of_their_ratio_and_size(
    google: Google, model: str, config: dict[str, str], size: tuple[int, int]
):
    google.longest_side = None

    parts = parts_of(generate(google, asking(imageConfig=config), model=model))

    assert opened(b64decode(parts[-1]["inlineData"]["data"])) == ("PNG", size)


def test_the_default_ratio_is_that_of_the_first_image(google: Google):
    google.longest_side = None
    body = {"contents": SOFA["contents"]}

    parts = parts_of(generate(google, body))

    assert opened(b64decode(parts[-1]["inlineData"]["data"]))[1] == (1152, 928)  # of 320x256


def test_the_settings_may_be_in_response_format(google: Google):
    google.longest_side = None

    answer = generate(google, asking(responseFormat={"image": {"aspectRatio": "9:16"}}))

    assert opened(b64decode(parts_of(answer)[-1]["inlineData"]["data"]))[1] == (768, 1376)


def test_different_seeds_make_different_pictures(google: Google):
    first, second, again = (
        parts_of(generate(google, asking(seed=seed)))[-1]["inlineData"]["data"] for seed in (1, 2, 1)
    )

    assert first == again != second


def test_drafts_come_first_and_are_marked_as_thoughts(google: Google):
    answer = generate(google, asking(thinkingConfig={"thinkingLevel": "high", "includeThoughts": True}))

    parts = parts_of(answer)
    assert [part.get("thought", False) for part in parts] == [True, True, False, False]
    drafts = [part["inlineData"]["data"] for part in parts if "inlineData" in part]
    assert drafts[0] != drafts[1]
    assert b64decode(drafts[1]) == google.tasks[0].pictures[0].content


def test_responses_may_be_jpeg_and_without_usage(google: Google):
    google.format = "jpeg"
    google.usage = False

    answer = generate(google, asking(responseModalities=["IMAGE"]))

    [image] = parts_of(answer)
    assert image["inlineData"]["mimeType"] == "image/jpeg"
    assert opened(b64decode(image["inlineData"]["data"]))[0] == "JPEG"
    assert "usageMetadata" not in answer.json()


def test_the_model_endpoint_checks_a_key(google: Google):
    url = f"{google.url}/v1beta/models"
    headers = {"x-goog-api-key": google.key}

    one = http.get(f"{url}/{MODEL}", headers=headers).json()

    assert one["name"] == f"models/{MODEL}"
    assert one in http.get(url, headers=headers).json()["models"]
    assert http.get(f"{url}/{MODEL}?key={google.key}").status_code == 200
    assert error(http.get(f"{url}/nobody", headers=headers), 404)["status"] == "NOT_FOUND"
    assert error(http.get(f"{url}/{MODEL}?key=wrong"), 400)["details"][0]["reason"] == "API_KEY_INVALID"


def chunks(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.headers["content-type"].startswith("text/event-stream")
    frames = answer.text.split("\r\n\r\n")
    assert frames.pop() == ""
    return [json.loads(frame.removeprefix("data: ")) for frame in frames]


def test_a_stream_sends_one_part_after_the_other(google: Google):
    answer = generate(google, call="streamGenerateContent?alt=sse")

    text, image, end = (chunk["candidates"][0] for chunk in chunks(answer))
    assert list(text["content"]["parts"][0]) == ["text"]
    content = b64decode(image["content"]["parts"][0]["inlineData"]["data"])
    assert content == google.tasks[0].pictures[0].content
    assert "finishReason" not in image
    assert end == {"finishReason": "STOP", "index": 0}
    assert len(generate(google, call="streamGenerateContent").json()) == 3  # a list, without alt=sse


def test_a_stream_can_fail_or_be_blocked(google: Google):
    google.script.next_submit = [Fault.FAILED, Fault.RESULT_MODERATED]

    [failed], [blocked] = (chunks(generate(google, call="streamGenerateContent?alt=sse")) for _ in range(2))

    assert failed["error"]["status"] == "INTERNAL"
    assert blocked["candidates"][0]["finishReason"] == "IMAGE_SAFETY"


def test_a_blocked_prompt_has_no_candidates_and_creates_no_task(google: Google):
    google.script.next_submit = [Fault.PROMPT_MODERATED]

    body = generate(google).json()

    assert body["promptFeedback"] == {"blockReason": "PROHIBITED_CONTENT"}
    assert list(body) == ["promptFeedback", "usageMetadata", "modelVersion", "responseId"]
    assert not google.tasks


@pytest.mark.parametrize("shape", BLOCKED)
def test_a_blocked_picture_has_several_forms(google: Google, shape: dict[str, Any]):
    google.blocked = shape
    google.script.next_submit = [Fault.RESULT_MODERATED]

    answer = generate(google)

    assert answer.status_code == 200
    [candidate] = answer.json()["candidates"]
    assert candidate.pop("finishMessage")
    assert candidate == {**shape, "finishReason": "IMAGE_SAFETY", "index": 0}


def test_work_can_fail_or_end_without_a_picture_or_with_a_web_page(google: Google):
    google.script.next_submit = [
        Fault.EMPTY_RESULT,
        Fault.UNKNOWN_STATUS,
        Fault.NOT_AN_IMAGE,
        Fault.FAILED,
    ]

    [message] = parts_of(generate(google))
    assert list(message) == ["text"]
    assert generate(google).json()["candidates"][0]["finishReason"] == UNKNOWN_WORD.upper()
    page = parts_of(generate(google))[-1]["inlineData"]
    assert (page["mimeType"], b64decode(page["data"])) == ("image/png", NOT_AN_IMAGE)
    assert error(generate(google), 500)["status"] == "INTERNAL"
    assert len(google.tasks) == 4


def test_spoilt_responses_are_of_finished_work(google: Google):
    spoils_answers(google, Step.SUBMIT, lambda: generate(google))

    assert len(google.tasks) == 3


def test_a_call_that_never_ends_holds_the_connection(google: Google):
    google.script.always[Step.SUBMIT] = Fault.NEVER_FINISHES

    for number, call in enumerate(("generateContent", "streamGenerateContent?alt=sse"), 1):
        with (
            pytest.raises(httpx.ReadTimeout),
            given_up(once=lambda number=number: len(google.tasks) == number),  # type: ignore[misc]
        ):
            generate(google, call=call)

    assert len(google.active()) == 2


@pytest.mark.parametrize("fault", [Fault.HUGE, Fault.HUGE_UNANNOUNCED])
def test_a_huge_response_is_streamed(google: Google, fault: Fault):
    google.script.next_submit = [fault]
    url = f"{google.url}/v1beta/models/{MODEL}:generateContent"

    with http.stream("POST", url, json=SOFA, headers={"x-goog-api-key": google.key}) as answer:
        size = int(answer.headers.get("content-length", 0))
        taken = bytearray()
        for chunk in answer.iter_raw():
            taken += chunk
            if len(taken) > 1_000_000:
                break

    assert HUGE_SIZE - 4 < size <= HUGE_SIZE if fault is Fault.HUGE else size == 0
    start = taken.partition(b'"data":"')[2][:400]
    assert b64decode(start) == google.tasks[0].pictures[0].content[:300]
