"""Fuzzing the BFL-compatible API over HTTP: no request causes a server error."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor.compat.bfl.translate import LONGEST_IMAGE
from tests.e2e.api import PICTURE, Api
from tests.e2e.test_bfl_clients import jobs
from tests.patience import PATIENCE

EXAMPLES = 60
EXPECTED = {200, 400, 402, 403, 404, 405, 422, 429}

# Deterministic: random examples are for runs by hand.
fuzzed = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)

ENCODED = base64.b64encode(PICTURE).decode()
TARGETS = st.sampled_from(["flux-kontext-pro", "flux-2-pro", "flux-2-flex", "flux-pro-1.0-fill", "flux-x"])
NAMES = st.sampled_from(
    "prompt input_image input_image_2 input_image_8 image mask seed width height steps guidance aspect_ratio "
    "output_format safety_tolerance prompt_upsampling webhook_url webhook_secret other".split()
)
PICTURES = st.sampled_from(
    [
        ENCODED,
        f"data:image/png;base64,{ENCODED}",
        "data:,",
        "https://",
        "https://127.0.0.1:1/x",
        "http://[::1",
        "%00",
        "16:9",
        "png",
        "../../etc/passwd",
        0,
        -1,
        2**63,
        2**64,
        1e308,
        "1" * 5000,
    ]
)
ODD = st.sampled_from(["%00", "16:9", "png", "../../etc/passwd", 0, -1, 2**63, 2**64, 1e308, "1" * 5000])
VALUES = (
    PICTURES
    | ODD
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=6,
    )
)


@pytest.fixture(scope="module")
def http(api: Api) -> Iterator[httpx.Client]:
    headers = {"x-key": api.keys["fuzz"]}
    with httpx.Client(base_url=api.portal.url, headers=headers, timeout=PATIENCE) as client:
        yield client


def check(answer: httpx.Response) -> None:
    """Check that a response has a form that BFL's clients can parse."""
    assert answer.status_code in EXPECTED, (answer.request.url, answer.request.content[:500], answer.text)
    body = answer.json()
    if answer.status_code == 200:
        assert body.keys() & {"id", "credits"}
    elif "status" not in body:
        assert isinstance(body["detail"], str) or all(problem["msg"] for problem in body["detail"])


@fuzzed
@given(
    target=TARGETS, prompt=st.text(max_size=50) | VALUES, fields=st.dictionaries(NAMES, VALUES, max_size=5)
)
def test_any_fields_get_a_valid_response(
    http: httpx.Client, target: str, prompt: Any, fields: dict[str, Any]
) -> None:
    body = json.dumps({"prompt": prompt} | fields)
    check(http.post(f"/v1/{target}", content=body, headers={"content-type": "application/json"}))


@fuzzed
@given(target=TARGETS, body=st.binary(max_size=200))
def test_any_bytes_get_a_valid_response(http: httpx.Client, target: str, body: bytes) -> None:
    check(http.post(f"/v1/{target}", content=body))


@fuzzed
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]),
    path=st.text(min_size=1, max_size=30),
    query=st.dictionaries(st.sampled_from(["id", "signature", "x"]), st.text(max_size=80)),
    task=st.booleans(),
)
def test_any_path_and_query_get_a_valid_response(
    http: httpx.Client, method: str, path: str, query: dict[str, str], task: bool
) -> None:
    part = "get_result" if task else httpx.QueryParams({"": path}).__str__()[1:]
    check(http.request(method, f"/v1/{part}", params=query))


def test_refused_requests_cost_nothing(api: Api, http: httpx.Client) -> None:
    """After all of the above, the account equals the sum of its entries."""
    check(http.post("/v1/flux-kontext-pro", json={"prompt": ""}))
    assert api.portal.query(
        "SELECT balance + held - (SELECT sum(amount + held_amount) FROM editor_ledgerentry "
        "WHERE account_id = workspace_id) FROM editor_creditaccount JOIN editor_workspace w "
        "ON w.id = workspace_id WHERE slug = 'fuzz'"
    ) == [(0,)]


def test_large_images_are_accepted_up_to_the_limit(api: Api, http: httpx.Client) -> None:
    before = jobs(api)
    # Bytes after the end of an image are not part of it, but they are sent.
    large = base64.b64encode(PICTURE + os.urandom(LONGEST_IMAGE // 4 * 3 - len(PICTURE))).decode()
    assert len(large) == LONGEST_IMAGE
    three = {"input_image": large, "input_image_2": large, "input_image_3": large}
    answer = http.post("/v1/flux-2-pro", json={"prompt": "Make it black and white"} | three)
    assert answer.status_code == 200, answer.text
    assert jobs(api) == before + 1


def test_an_image_that_is_too_large_is_refused(api: Api, http: httpx.Client) -> None:
    before = jobs(api)
    answer = http.post("/v1/flux-2-pro", json={"prompt": "x", "input_image": "A" * (LONGEST_IMAGE + 1)})
    assert (answer.status_code, answer.json()["detail"][0]["type"]) == (422, "string_too_long")
    assert len(answer.content) < 1000
    assert jobs(api) == before
