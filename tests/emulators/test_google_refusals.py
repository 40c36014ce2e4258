"""Refusals of Google's emulator, with Google's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.emulators.checks import http
from tests.emulators.faults import Fault
from tests.emulators.google import Google
from tests.emulators.google.client import MODEL, PNG, SOFA, asking, error, generate


@pytest.fixture
def google() -> Iterator[Google]:
    with Google(longest_side=64) as emulator:
        yield emulator


def sending(*parts: dict[str, Any], **others: Any) -> dict[str, Any]:
    return {"contents": [{"parts": list(parts)}], **others}


def image(data: str = PNG, mime_type: str = "image/png") -> dict[str, Any]:
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def test_a_wrong_key_is_a_bad_request_and_a_missing_one_is_forbidden(google: Google):
    url = f"{google.url}/v1beta/models/{MODEL}:generateContent"

    wrong = error(http.post(url, json={}, headers={"x-goog-api-key": "wrong"}), 400)
    missing = error(http.post(url, json=SOFA, headers={"authorization": f"Bearer {google.key}"}), 403)

    assert wrong == {
        "code": 400,
        "message": "API key not valid. Please pass a valid API key.",
        "status": "INVALID_ARGUMENT",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "API_KEY_INVALID",
                "domain": "googleapis.com",
                "metadata": {"service": "generativelanguage.googleapis.com"},
            }
        ],
    }
    assert missing["status"] == "PERMISSION_DENIED"
    assert http.post(f"{url}?key={google.key}", json=asking()).status_code == 200


@pytest.mark.parametrize(
    ("version", "model", "call"),
    [("v2", MODEL, "generateContent"), ("v1", MODEL, "predict"), ("v1", MODEL, "generateImage")],
)
def test_other_versions_and_methods_are_not_found(google: Google, version: str, model: str, call: str):
    answer = generate(google, version=version, model=model, call=call)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("model", ["gemini-3-pro-image-preview", "imagen-4.0-generate-001", "x"])
def test_models_that_are_shut_down_are_not_found(google: Google, model: str):
    refused = error(generate(google, model=model), 404)

    assert refused["status"] == "NOT_FOUND"
    assert refused["message"].startswith(
        f"models/{model} is not found for API version v1beta, or is not supported for generateContent."
    )


def test_unknown_and_mistyped_fields_are_all_reported_with_their_paths(google: Google):
    body = sending({"text": 1}, generationConfig={"n": 2, "seed": True}, style="vivid")

    refused = error(generate(google, body), 400)

    assert refused["message"].split("\n")[1] == (
        "Invalid JSON payload received. Unknown name \"n\" at 'generation_config': Cannot find field."
    )
    [details] = refused["details"]
    assert details["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert [violation["field"] for violation in details["fieldViolations"]] == [
        "contents[0].parts[0].text",
        "generation_config",
        "generation_config.seed",
        "",
    ]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "contents is not specified"),
        ([], "Invalid JSON payload received."),
        ({"contents": [{"parts": []}]}, "must not be empty"),
        ({"contents": [{"role": "system", "parts": [{"text": "a"}]}]}, "valid role: user, model"),
        (sending({}), "required oneof field 'data' must have one initialized field"),
        (sending({"text": "a", **image()}), "required oneof field 'data'"),
        (sending(image("?")), "Base64 decoding failed"),
        (sending(image("AAAA")), "Unable to process input image"),
        (sending(image(mime_type="image/gif")), "Unsupported MIME type: image/gif"),
        (sending(*[image()] * 15), "Too many images"),
        (asking(responseModalities=["TEXT"]), "response modalities"),
        (asking(responseModalities=["PICTURE"]), "'generation_config.response_modalities[0]'"),
        (asking(candidateCount=2), "Multiple candidates"),
        (asking(imageConfig={"aspectRatio": "7:3"}), "aspect_ratio must be one of '1:1', "),
        (asking(imageConfig={"imageSize": "512"}), "image_size must be one of '1K', '2K', '4K'"),
        (asking(imageConfig={"imageSize": "2k"}), "image_size must be one of"),
        (asking(imageConfig={"imageSize": 2}), "(TYPE_STRING), 2"),
        (asking(imageConfig={"outputMimeType": "image/png"}), 'Unknown name "outputMimeType"'),
        (asking(thinkingConfig={"thinkingLevel": "LOW"}), "Thinking level LOW is not supported"),
        ({**asking(), "safetySettings": [{"category": "HATE"}]}, "at 'safety_settings[0].category'"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused(google: Google, body: Any, message: str):
    refused = error(generate(google, body), 400)

    assert refused["status"] == "INVALID_ARGUMENT"
    assert message in refused["message"]
    assert not google.tasks


@pytest.mark.parametrize(
    ("model", "body", "message"),
    [
        ("gemini-3-pro-image", asking(imageConfig={"aspectRatio": "1:8"}), "aspect_ratio must be one of"),
        ("gemini-3.1-flash-lite-image", asking(imageConfig={"imageSize": "2K"}), "must be one of '1K'"),
        ("gemini-2.5-flash-image", asking(imageConfig={"imageSize": "1K"}), "image_size is not supported"),
        (
            "gemini-2.5-flash-image",
            sending({"text": "a"}, systemInstruction={"parts": [{"text": "b"}]}),
            "Developer instruction is not enabled for models/gemini-2.5-flash-image",
        ),
        ("gemini-2.5-flash-image", sending({"text": "a"}, tools=[{"googleSearch": {}}]), "Search Grounding"),
    ],
)
def test_models_differ_in_what_they_accept(google: Google, model: str, body: Any, message: str):
    assert message in error(generate(google, body, model=model), 400)["message"]


def test_bodies_that_are_too_large_or_not_json_are_refused(google: Google):
    url = f"{google.url}/v1beta/models/{MODEL}:generateContent"
    headers = {"x-goog-api-key": google.key}

    large = error(http.post(url, content=b" " * (20 * 1024**2 + 1), headers=headers), 400)
    broken = error(http.post(url, content=b"{", headers=headers), 400)

    assert large["message"] == "Request payload size exceeds the limit: 20971520 bytes."
    assert broken["message"].startswith("Invalid JSON payload received.")


def test_files_of_the_files_api_are_forbidden(google: Google):
    file = {"fileData": {"mimeType": "image/png", "fileUri": f"{google.url}/v1beta/files/abc"}}

    assert "File abc" in error(generate(google, sending(file)), 403)["message"]


@pytest.mark.parametrize(
    ("fault", "code", "status"),
    [
        (Fault.WRONG_KEY, 400, "INVALID_ARGUMENT"),
        (Fault.OUT_OF_FUNDS, 429, "RESOURCE_EXHAUSTED"),
        (Fault.RATE_LIMITED, 429, "RESOURCE_EXHAUSTED"),
        (Fault.RATE_LIMITED_RETRY_AFTER, 429, "RESOURCE_EXHAUSTED"),
        (Fault.SERVER_ERROR, 500, "INTERNAL"),
        (Fault.OVERLOADED, 503, "UNAVAILABLE"),
        (Fault.FORBIDDEN, 403, "PERMISSION_DENIED"),
        (Fault.SPEND_CAP, 400, "FAILED_PRECONDITION"),
    ],
)
def test_a_refusal_creates_no_task(google: Google, fault: Fault, code: int, status: str):
    google.script.next_submit = [fault]

    assert error(generate(google), code)["status"] == status
    assert not google.tasks
    assert generate(google).status_code == 200


def test_a_daily_quota_can_be_distinguished_from_a_rate_limit(google: Google):
    google.script.next_submit = [
        Fault.OUT_OF_FUNDS,
        Fault.RATE_LIMITED,
        Fault.RATE_LIMITED_RETRY_AFTER,
    ]

    quota, rate, timed = (error(generate(google), 429)["details"] for _ in range(3))

    assert quota[0]["violations"][0]["quotaId"] == "GenerateRequestsPerDayPerProjectPerModel"
    assert rate[0]["violations"][0]["quotaId"] == "GenerateRequestsPerMinutePerProjectPerModel"
    assert [len(details) for details in (quota, rate, timed)] == [2, 2, 3]
    assert timed[2] == {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
