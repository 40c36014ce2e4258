"""Refusals of BFL's emulator: fields, bodies, images, keys, paths, and exceeded limits."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.emulators.bfl import Bfl
from tests.emulators.checks import http, photo
from tests.emulators.test_bfl import PHOTO, SKY, submit


@pytest.mark.parametrize(
    ("model", "body", "detail"),
    [
        (
            "flux-kontext-pro",
            {"seed": 1},
            {"type": "missing", "loc": ["body", "prompt"], "msg": "Field required", "input": {"seed": 1}},
        ),
        (
            "flux-kontext-pro",
            {"prompt": "x", "safety_tolerance": 9},
            {
                "type": "less_than_equal",
                "loc": ["body", "safety_tolerance"],
                "msg": "Input should be less than or equal to 6",
                "input": 9,
                "ctx": {"le": 6},
            },
        ),
        (
            "flux-2-pro",
            {"prompt": "x", "safety_tolerance": 6},
            {
                "type": "less_than_equal",
                "loc": ["body", "safety_tolerance"],
                "msg": "Input should be less than or equal to 5",
                "input": 6,
                "ctx": {"le": 5},
            },
        ),
        (
            "flux-2-pro",
            {"prompt": "x", "width": 0},
            {
                "type": "greater_than_equal",
                "loc": ["body", "width"],
                "msg": "Input should be greater than or equal to 64",
                "input": 0,
                "ctx": {"ge": 64},
            },
        ),
        (
            "flux-kontext-max",
            {"prompt": "x", "output_format": "gif"},
            {
                "type": "literal_error",
                "loc": ["body", "output_format"],
                "msg": "Input should be 'jpeg', 'png' or 'webp'",
                "input": "gif",
                "ctx": {"expected": "'jpeg', 'png' or 'webp'"},
            },
        ),
        (
            "flux-kontext-max",
            {"prompt": "x", "aspect_ratio": "3:1"},
            {
                "type": "value_error",
                "loc": ["body", "aspect_ratio"],
                "msg": "Value error, Aspect ratio must be between 21:9 and 9:21",
                "input": "3:1",
                "ctx": {"error": {}},
            },
        ),
        (
            "flux-pro-1.0-fill",
            {"prompt": "x"},
            {"type": "missing", "loc": ["body", "image"], "msg": "Field required", "input": {"prompt": "x"}},
        ),
        (
            "flux-dev",
            "just text",
            {
                "type": "model_type",
                "loc": ["body"],
                "msg": "Input should be a valid dictionary or instance of Dev",
                "input": "just text",
                "ctx": {"class_name": "Dev"},
            },
        ),
    ],
)
def test_invalid_fields_have_pydantics_messages(bfl: Bfl, model: str, body: Any, detail: dict[str, Any]):
    answer = submit(bfl, body, model)

    assert (answer.status_code, answer.json()) == (422, {"detail": [detail]})
    assert not bfl.tasks


def test_only_json_bodies_are_accepted(bfl: Bfl):
    url, headers = f"{bfl.url}/v1/flux-kontext-pro", {"x-key": bfl.key}

    form = http.post(url, data={"prompt": "x"}, headers=headers)
    broken = http.post(url, content='{"prompt": ', headers={**headers, "content-type": "application/json"})
    empty = http.post(url, headers=headers)

    assert form.status_code == 422
    assert form.json()["detail"][0]["loc"] == ["body"]
    assert broken.status_code == 422
    assert broken.json()["detail"][0] | {"loc": None} == {
        "type": "json_invalid",
        "loc": None,
        "msg": "JSON decode error",
        "input": {},
        "ctx": {"error": "Expecting value"},
    }
    assert (empty.status_code, empty.json()["detail"][0]["type"]) == (422, "missing")


@pytest.mark.parametrize(
    ("model", "body"),
    [
        ("flux-kontext-pro", {"prompt": "x", "input_image": "no picture!"}),
        ("flux-kontext-pro", {"prompt": "x", "input_image": f"data:image/png;base64,{PHOTO}"}),
        ("flux-2-pro", {"prompt": "x", "input_image_2": base64.b64encode(b"GIF89a").decode()}),
        ("flux-2-pro", {"prompt": "x", "width": 4096, "height": 2048}),
        ("flux-pro-1.0-fill", {"image": PHOTO, "mask": base64.b64encode(photo(256, 256)).decode()}),
        ("flux-pro-1.0-fill", {"image": base64.b64encode(photo(200, 300)).decode()}),
        ("flux-pro-1.0-fill", {"image": "https://example.com/a.jpg"}),
    ],
)
def test_bad_pictures_are_refused(bfl: Bfl, model: str, body: dict[str, Any]):
    answer = submit(bfl, body, model)

    assert answer.status_code == 400
    assert isinstance(answer.json()["detail"], str)
    assert not bfl.tasks


@pytest.mark.parametrize(
    ("headers", "status", "text"),
    [
        ({}, 403, '{"detail":"Not authenticated"}'),
        ({"x-key": "nonsense"}, 422, '{"detail":"Invalid API key format"}'),
        (
            {"X-Key": "00000000-0000-4000-8000-000000000000"},
            403,
            '{"detail":"Not authenticated - Invalid Authentication"}',
        ),
        ({"authorization": "Bearer x"}, 403, '{"detail":"Not authenticated"}'),
    ],
)
def test_the_key_is_checked_before_the_body(bfl: Bfl, headers: dict[str, str], status: int, text: str):
    for answer in (
        http.post(f"{bfl.url}/v1/flux-dev", content=b"not even JSON", headers=headers),
        http.get(f"{bfl.url}/v1/credits", headers=headers),
    ):
        assert (answer.status_code, answer.text) == (status, text)


def test_unknown_paths_and_methods(bfl: Bfl):
    headers = {"x-key": bfl.key}

    for path in ("/v1/flux-2-dev", "/v1/FLUX-DEV", "/flux-dev", "/v1/flux-dev/"):
        answer = http.post(bfl.url + path, json=SKY, headers=headers)
        assert (answer.status_code, answer.text) == (404, '{"detail":"Not Found"}')
    assert http.get(f"{bfl.url}/v1/flux-dev", headers=headers).status_code == 405
    assert http.post(f"{bfl.url}/v1/get_result?id=x").status_code == 405


def test_polls_need_no_key_but_a_known_id(bfl: Bfl):
    unknown = http.get(f"{bfl.url}/v1/get_result?id=x")
    missing = http.get(f"{bfl.url}/v1/get_result")

    assert unknown.status_code == 404
    assert unknown.text == (
        '{"id":"x","status":"Task not found","result":null,"progress":null,"details":null,"preview":null}'
    )
    assert missing.status_code == 422
    assert missing.json()["detail"][0]["loc"] == ["query", "id"]


def test_funds_and_active_tasks_are_limited(bfl: Bfl):
    bfl.stop_clock()
    bfl.credits = 7.9
    assert submit(bfl, model="flux-kontext-max").json() == {"detail": "Insufficient credits"}
    assert submit(bfl).status_code == 200
    assert submit(bfl).status_code == 402

    bfl.ahead += 1
    bfl.credits, bfl.seconds = 1000, 60
    statuses = [submit(bfl, {"prompt": "x"}, "flux-kontext-max").status_code for _ in range(7)]
    assert statuses == [200] * 6 + [429]
    statuses = [submit(bfl, {"prompt": "x"}).status_code for _ in range(19)]
    assert statuses == [200] * 18 + [429]
    bfl.ahead += 61
    assert submit(bfl).status_code == 200


def test_webhook_urls_are_checked(bfl: Bfl):
    answer = submit(bfl, {**SKY, "webhook_url": "not a url"})

    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["body", "webhook_url"]
