"""Refusals of OpenAI's emulator, with OpenAI's messages."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from tests.emulators.checks import http, photo
from tests.emulators.openai import OpenAi
from tests.emulators.openai.client import CHAIR, MASK, ROOM, SOFA, edit, error, generate, mask

TWO = (ROOM, ("image[]", ("x.png", b"\x89PNG?", "image/png")))
UNTYPED = ("image", ("room", photo(), "application/octet-stream"))
MISTYPED = ("image", ("room.png", photo(), "image/jpeg"))


def overlay(content: bytes, content_type: str = "image/png") -> tuple[str, tuple[str, bytes, str]]:
    return ("mask", ("m", content, content_type))


@pytest.fixture
def emulator() -> Iterator[OpenAi]:
    with OpenAi(longest_side=64) as emulator:
        yield emulator


def test_the_key_is_checked_before_all_else(emulator: OpenAi):
    url = f"{emulator.url}/v1/images/generations"

    wrong = error(http.post(url, json={}, headers={"authorization": "Bearer sk-wrong"}), 401)
    assert (wrong["type"], wrong["code"], wrong["param"]) == (
        "invalid_request_error",
        "invalid_api_key",
        None,
    )
    assert wrong["message"].startswith("Incorrect API key provided: sk-")
    assert error(http.post(url, json=CHAIR), 401)["code"] is None
    assert error(http.get(f"{emulator.url}/v1/models"), 401)["code"] is None
    assert not emulator.tasks


def test_unknown_paths_and_methods(emulator: OpenAi):
    headers = {"authorization": f"Bearer {emulator.key}"}

    assert http.post(f"{emulator.url}/v1/images/variations", headers=headers).status_code == 404
    assert http.post(f"{emulator.url}/images/generations", headers=headers).status_code == 404
    wrong = error(http.get(f"{emulator.url}/v1/images/edits", headers=headers), 405)
    assert wrong["message"] == "Not allowed to GET on /v1/images/edits"


@pytest.mark.parametrize(
    ("change", "status", "code", "param", "message"),
    [
        ({"model": None}, 400, "missing_required_parameter", "model", ""),
        ({"prompt": None}, 400, "missing_required_parameter", "prompt", ""),
        ({"model": "dall-e-3"}, 404, "model_not_found", "model", "dall-e-3"),
        ({"model": "gpt-image-1"}, 404, "model_not_found", "model", ""),
        ({"model": "gpt-image-2.6"}, 404, "model_not_found", "model", ""),
        ({"prompt": ""}, 400, "invalid_value", "prompt", ""),
        ({"prompt": "x" * 32_001}, 400, "invalid_value", "prompt", ""),
        ({"prompt": ["a"]}, 400, "invalid_type", "prompt", "expected a string"),
        ({"n": "1"}, 400, "invalid_type", "n", "expected an integer, but got a string"),
        ({"n": True}, 400, "invalid_type", "n", "but got a boolean"),
        ({"n": 11}, 400, "invalid_value", "n", ""),
        ({"n": 0}, 400, "invalid_value", "n", ""),
        ({"response_format": "b64_json"}, 400, "unknown_parameter", "response_format", ""),
        ({"style": "vivid"}, 400, "unknown_parameter", "style", ""),
        ({"input_fidelity": "high"}, 400, "unknown_parameter", "input_fidelity", ""),
        ({"quality": "hd"}, 400, "invalid_value", "quality", "Supported values"),
        (
            {"model": "gpt-image-2", "quality": "xhigh"},
            400,
            "invalid_value",
            "quality",
            "The model 'gpt-image-2' does not support quality 'xhigh'",
        ),
        (
            {"size": "4096x4096"},
            400,
            "invalid_value",
            "size",
            "Invalid size '4096x4096'. The longest edge must be less than or equal to 3840.",
        ),
        ({"size": "1000x1000"}, 400, "invalid_value", "size", "divisible by 16"),
        ({"size": "3840x1024"}, 400, "invalid_value", "size", "aspect ratio"),
        ({"size": "512x512"}, 400, "invalid_value", "size", "number of pixels"),
        ({"size": "3840x3840"}, 400, "invalid_value", "size", "number of pixels"),
        ({"size": "large"}, 400, "invalid_value", "size", ""),
        ({"model": "gpt-image-1.5", "size": "1536x864"}, 400, "invalid_value", "size", "1536x1024"),
        ({"output_format": "gif"}, 400, "invalid_value", "output_format", ""),
        ({"output_compression": 50}, 400, "invalid_value", "output_compression", ""),
        (
            {"output_format": "jpeg", "background": "transparent"},
            400,
            "invalid_value",
            "background",
            "",
        ),
        ({"partial_images": 2}, 400, "invalid_value", "partial_images", ""),
        ({"partial_images": 4, "stream": True}, 400, "invalid_value", "partial_images", ""),
        ({"model": "gpt-image-2", "complexity": "low"}, 400, "invalid_value", "complexity", ""),
        ({"moderation": "off"}, 400, "invalid_value", "moderation", ""),
    ],
)
def test_a_generation_that_breaks_a_rule_is_refused(
    emulator: OpenAi, change: dict[str, Any], status: int, code: str, param: str, message: str
):
    refused = error(generate(emulator, {**CHAIR, **change}), status)

    assert (refused["code"], refused["param"]) == (code, param)
    assert message in refused["message"]
    assert not emulator.tasks


@pytest.mark.parametrize(
    ("fields", "parts", "code", "param"),
    [
        ({"moderation": "low"}, (), "unknown_parameter", "moderation"),
        ({"n": "two"}, (), "invalid_type", "n"),
        ({"input_fidelity": "high"}, (), "invalid_input_fidelity_model", "input_fidelity"),
        ({"svg[model]": "x"}, (), "invalid_value", "svg"),
        ({"image": "https://example.com/room.png"}, (MASK,), "invalid_type", "image"),
        ({}, (MASK,), "missing_required_parameter", "image"),
        ({}, (ROOM,) * 17, "invalid_value", "image"),
        ({}, (("image", ROOM[1]), ("image", ROOM[1])), "duplicate_parameter", "image"),
        ({}, (("picture", ROOM[1]),), "unknown_parameter", "picture"),
        ({}, (UNTYPED,), "unsupported_file_mimetype", "image"),
        ({}, (MISTYPED,), "unsupported_file_mimetype", "image"),
        ({}, TWO, "invalid_image_file", None),
        ({}, (ROOM, overlay(mask(8, 8))), "invalid_value", "mask"),
        ({}, (ROOM, overlay(mask(mode="RGB"))), "invalid_value", "mask"),
        ({}, (ROOM, overlay(photo(320, 256, "JPEG"), "image/jpeg")), "unsupported_file_mimetype", "mask"),
        ({}, (ROOM, overlay(mask() + bytes(4 * 1024**2))), "invalid_value", "mask"),
        ({}, (ROOM, MASK, ("markup", MASK[1])), "invalid_value", "markup"),
        ({"model": "gpt-image-2"}, (ROOM, ("markup", MASK[1])), "invalid_value", "markup"),
    ],
)
def test_an_edit_that_breaks_a_rule_is_refused(
    emulator: OpenAi, fields: dict[str, str], parts: Any, code: str, param: str | None
):
    refused = error(edit(emulator, fields, *parts), 400)

    assert (refused["code"], refused["param"]) == (code, param)
    assert not emulator.tasks


def test_a_broken_image_is_reported_by_its_number(emulator: OpenAi):
    cmyk = BytesIO()
    Image.new("CMYK", (64, 64)).save(cmyk, "JPEG")

    refused = error(
        edit(emulator, {}, ROOM, ROOM, ("image[]", ("print.jpg", cmyk.getvalue(), "image/jpeg"))), 400
    )

    assert refused["type"] == "image_generation_user_error"
    assert refused["message"] == "Invalid image file or mode for image 3, please check your image file."


def test_malformed_bodies_and_other_content_types_are_refused(emulator: OpenAi):
    headers = {"authorization": f"Bearer {emulator.key}"}
    generations, edits = (f"{emulator.url}/v1/images/{name}" for name in ("generations", "edits"))

    assert error(http.post(edits, json=SOFA, headers=headers), 400)["code"] == "unsupported_content_type"
    assert (
        error(http.post(generations, data=SOFA, headers=headers), 400)["code"] == "unsupported_content_type"
    )
    as_json = {**headers, "content-type": "application/json"}
    for content in ("{", "[]", b"\xff"):
        assert (
            "parse the JSON"
            in error(http.post(generations, content=content, headers=as_json), 400)["message"]
        )
    broken = {**headers, "content-type": "multipart/form-data; boundary=B"}
    assert "multipart" in error(http.post(edits, content=b"nothing", headers=broken), 400)["message"]
