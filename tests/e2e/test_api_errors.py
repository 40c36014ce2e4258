"""Each error in the public API's document, in its envelope, as its client gets it; nothing is charged."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

import pytest

from tests import ask
from tests.e2e.api import PICTURE, Api
from tests.e2e.seed_client import LIMITS, Refused, SeedClient
from tests.emulators.faults import Fault, Step
from tests.emulators.openai import app

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}
UPLOAD = {"file_name": "cat.png", "mime_type": "image/png"}
NOBODY = "00000000-0000-4000-8000-000000000000"

WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "no tier": ("process", {"prompt": "a harbour"}),
    "a bad tier": ("process", {**EDIT, "model_tier": "ultra"}),
    "a bad provider": ("process", {**EDIT, "provider": "acme"}),
    "the sandbox as a provider": ("process", {**EDIT, "provider": "sandbox"}),
    "no prompt": ("process", {"model_tier": "pro"}),
    "an empty prompt": ("process", {**EDIT, "prompt": ""}),
    "a prompt that is too long": ("process", {**EDIT, "prompt": "x" * 10_001}),
    "a prompt that is no text": ("process", {**EDIT, "prompt": 7}),
    "an image's id that is none": ("process", {**EDIT, "image_id": "cat"}),
    "an address that is not https": ("process", {**EDIT, "image_url": "http://127.0.0.1/cat.png"}),
    "an address that is too long": ("process", {**EDIT, "image_url": "https://127.0.0.1/".ljust(2001, "x")}),
    "a style's id that is none": ("process", {**EDIT, "style_id": "noir"}),
    "a character's id that is none": ("process", {**EDIT, "character_id": "ada"}),
    "an estimate without a tier": ("estimate", {}),
    "an estimate of a bad tier": ("estimate", {"model_tier": "ultra"}),
    "an estimate of a bad provider": ("estimate", {"model_tier": "pro", "provider": "acme"}),
    "a file without a name": ("upload_url", {"mime_type": "image/png"}),
    "a file with an empty name": ("upload_url", {**UPLOAD, "file_name": ""}),
    "a file with a name that is too long": ("upload_url", {**UPLOAD, "file_name": "x" * 256}),
    "a file without a type": ("upload_url", {"file_name": "cat.png"}),
    "a file of a bad type": ("upload_url", {**UPLOAD, "mime_type": "image/svg+xml"}),
    "a file's size that is no number": ("upload_url", {**UPLOAD, "file_size": "big"}),
    "page 0": ("jobs", {"page": 0}),
    "a page that is too long": ("jobs", {"per_page": 101}),
    "a status that there is not": ("jobs", {"status": "done"}),
}


@pytest.fixture(scope="module")
def client(api: Api) -> SeedClient:
    return api.client()


def refusal(call: Any, *args: Any, **fields: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        call(*args, **fields)
    return refused.value


@pytest.mark.parametrize("what", WRONG)
def test_invalid_input_is_400(client: SeedClient, what: str) -> None:
    name, fields = WRONG[what]
    assert refusal(getattr(client, name), **fields).status == 400


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Bearer flk_" + "x" * 46, "Bearer flk_" + "x" * 60_000, "Basic {}", "{}", "Bearer {}x"],
)
def test_a_missing_or_invalid_key_is_401(api: Api, authorization: str) -> None:
    headers = {"x-forwarded-for": "192.0.2.1"}  # failures count for this address
    if authorization:
        headers["authorization"] = authorization.format(api.keys["acme"])
    answer = ask.get(f"{api.portal.url}/api/v1/image-editor/jobs", headers=headers)
    # Too long headers are refused by the server before they reach the API.
    assert answer.status_code == (401 if len(authorization) < 10_000 else answer.status_code)
    assert answer.status_code in (400, 401, 431)
    if answer.status_code == 401:
        assert answer.json() == {
            "success": False,
            "error": "Missing or invalid API key.",
            "code": "not_authenticated",
        }
        assert all(answer.headers[name].isdecimal() for name in LIMITS)


def test_each_call_needs_a_key(api: Api) -> None:
    calls = [
        ("POST", "/upload-url"),
        ("POST", "/process"),
        ("POST", "/estimate-credits"),
        ("GET", "/jobs"),
        ("GET", f"/jobs/{NOBODY}"),
    ]
    for number, (method, path) in enumerate(calls):
        headers = {"x-forwarded-for": f"192.0.2.{10 + number}"}
        answer = ask.request(method, f"{api.portal.url}/api/v1/image-editor{path}", headers=headers)
        assert (path, answer.status_code, answer.json()["success"]) == (path, 401, False)


def test_a_revoked_key_is_401(api: Api) -> None:
    other = api.client("reader")
    set_to = "UPDATE editor_apikey SET revoked_at = {} WHERE name = 'reader' RETURNING id"
    api.portal.query(set_to.format("now()"))
    try:
        assert refusal(other.jobs).status == 401
    finally:
        api.portal.query(set_to.format("NULL"))
    other.jobs()


def test_too_few_credits_is_402(api: Api) -> None:
    poor = api.client("poor")
    assert refusal(poor.process, **EDIT).status == 402
    assert poor.jobs() == []
    assert poor.estimate(model_tier="standard")["available_credits"] == 3


def test_a_key_without_the_scope_is_403(api: Api) -> None:
    refused = refusal(api.client("reader").process, **EDIT)
    assert (refused.status, "image_editor:write" in refused.error) == (403, True)
    assert refusal(api.client("writer").jobs).status == 403


def test_a_creator_without_the_permission_is_403(api: Api) -> None:
    barred = api.client("barred")
    for call, fields in ((barred.process, EDIT), (barred.upload_url, UPLOAD), (barred.jobs, {})):
        refused = refusal(call, **fields)
        assert (refused.status, "Access Image Editor" in refused.error) == (403, True)


def test_an_unknown_image_is_404(api: Api, client: SeedClient) -> None:
    other = api.client("other")
    sent = other.upload(PICTURE)
    used = other.process(prompt="brighter", model_tier="standard", image_id=other.upload(PICTURE))
    for image_id in (NOBODY, sent, used["result_image_id"]):
        refused = refusal(client.process, **EDIT, image_id=image_id)
        assert (refused.status, refused.error) == (404, "There is no such image in this workspace.")


@pytest.mark.parametrize("kind", ["style", "character"])
def test_an_unknown_preset_is_404(api: Api, client: SeedClient, kind: str) -> None:
    other = str(uuid4())
    more = ("prompt, preview, position", "'x', '', 0") if kind == "style" else ("description", "''")
    api.portal.query(
        f"INSERT INTO editor_{kind} (id, created_at, workspace_id, name, version, {more[0]}) "
        f"SELECT %s, now(), id, 'Theirs', 1, {more[1]} FROM editor_workspace WHERE slug = 'other' "
        "RETURNING id",
        other,
    )
    for preset_id in (NOBODY, other):
        refused = refusal(client.process, **EDIT, **{f"{kind}_id": preset_id})
        assert (refused.status, refused.error) == (404, f"There is no such {kind} in this workspace.")


def test_an_unknown_job_is_404(api: Api, client: SeedClient) -> None:
    theirs = api.client("other").process(**EDIT)["job_id"]
    for job_id in (NOBODY, theirs, "nonsense"):
        refused = refusal(client.job, job_id)
        assert (refused.status, refused.error) == (404, "There is no such edit in this workspace.")
    assert theirs not in [job["job_id"] for job in client.jobs(per_page=100)]


def test_a_missing_own_key_is_422(api: Api) -> None:
    plain = api.client("plain")
    for call, fields in ((plain.process, EDIT), (plain.estimate, {"model_tier": "standard"})):
        refused = refusal(call, **fields, provider="openai")
        assert (refused.status, "not set up" in refused.error) == (422, True)


def test_a_disabled_own_key_is_422(api: Api, client: SeedClient) -> None:
    switch = "UPDATE editor_providerkey SET is_enabled = {} WHERE provider = 'google' RETURNING id"
    api.portal.query(switch.format("false"))
    try:
        assert refusal(client.process, prompt="a harbour", model_tier="pro", provider="google").status == 422
        assert refusal(client.estimate, model_tier="pro", provider="google").status == 422
    finally:
        api.portal.query(switch.format("true"))
    assert client.estimate(model_tier="pro", provider="google")["can_proceed"]


def test_a_plan_without_own_keys_is_422(api: Api) -> None:
    api.portal.query("UPDATE editor_plan SET own_keys = false WHERE name = 'Own limits: poor' RETURNING id")
    poor = api.client("poor")
    for call, fields in ((poor.process, EDIT), (poor.estimate, {"model_tier": "standard"})):
        refused = refusal(call, **fields, provider="openai")
        assert (refused.status, "plan" in refused.error) == (422, True)


def test_moderation_is_422_and_costs_nothing(api: Api, client: SeedClient) -> None:
    refused = refusal(client.process, prompt="[moderate] a quiet harbour", model_tier="standard")
    assert refused.status == 422
    job_id = refused.answer.json()["job_id"]
    assert api.ledger(job_id) == [("hold", -4, 4), ("release", 4, -4)]
    assert (client.job(job_id)["status"], client.job(job_id)["credits_consumed"]) == ("failed", 0)


def test_moderation_by_a_provider_is_422(api: Api, client: SeedClient) -> None:
    api.emulators["openai"].script.next_submit = [Fault.PROMPT_MODERATED]
    assert refusal(client.process, **EDIT, provider="openai").status == 422


def test_exceeding_the_rate_limit_is_429(api: Api) -> None:
    slow = api.client("slow")
    began = time.time()
    for left in ("2", "1", "0"):
        slow.jobs()
        assert slow.last is not None
        assert slow.last.headers["x-ratelimit-remaining"] == left
    refused = refusal(slow.process, **EDIT)
    assert refused.status == 429
    assert 1 <= int(refused.answer.headers["retry-after"]) <= 60
    assert [refused.answer.headers[name] for name in LIMITS[:2]] == ["3", "0"]
    assert began < int(refused.answer.headers["x-ratelimit-reset"]) <= time.time() + 61


def test_a_busy_provider_is_429(api: Api, client: SeedClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RETRY_AFTER", 90)  # longer than the portal waits for it
    api.emulators["openai"].script.next_submit = [Fault.RATE_LIMITED_RETRY_AFTER]
    refused = refusal(client.process, **EDIT, provider="openai")
    assert refused.status == 429
    assert int(refused.answer.headers["retry-after"]) > 0


def test_a_failing_provider_is_500_and_costs_nothing(api: Api, client: SeedClient) -> None:
    refused = refusal(client.process, prompt="[fail] a quiet harbour", model_tier="standard")
    assert refused.status == 500
    assert api.ledger(refused.answer.json()["job_id"]) == [("hold", -4, 4), ("release", 4, -4)]
    api.emulators["openai"].script.always[Step.SUBMIT] = Fault.WRONG_KEY
    try:
        refused = refusal(client.process, **EDIT, provider="openai")
    finally:
        api.emulators["openai"].script.always.clear()
    assert (refused.status, api.emulators["openai"].key in refused.error) == (500, False)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("GET", "/nowhere", 404),
        ("GET", "/jobs/", 404),
        ("GET", "/process", 405),
        ("DELETE", "/jobs", 405),
        ("PUT", "/upload-url", 405),
        ("OPTIONS", "/process", 405),
        ("PATCH", "/jobs", 405),
        ("GET", "/jobs/%00", 404),
        ("GET", "/jobs/%ff", 404),
        ("GET", "/jobs?page=%00", 400),
    ],
)
def test_unknown_paths_and_methods_are_refused_in_the_envelope(
    client: SeedClient, method: str, path: str, status: int
) -> None:
    answer = client.http.request(method, path)
    assert (answer.status_code, answer.json()["success"]) == (status, False)
    assert ("allow" in answer.headers) == (status == 405)
    assert answer.headers["x-ratelimit-limit"]


def test_a_head_request_has_no_body(client: SeedClient) -> None:
    answer = client.http.head("/nowhere")
    assert (answer.status_code, answer.content) == (404, b"")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"text"',
        b'{"prompt": NaN, "model_tier": "standard"}',
        b'{"prompt": "a\\u0000b", "model_tier": "standard"}',
        b'{"prompt": "a\\ud800b", "model_tier": "standard"}',
        b'{"prompt": "a", "prompt": "b", "model_tier": "standard"}',
        b'{"prompt": "\xff", "model_tier": "standard"}',
        b"[" * 100_000,
        b'{"prompt": ' + b"9" * 100_000 + b"}",
        b'{"prompt": 1e999, "model_tier": "standard"}',
    ],
    ids=lambda body: repr(body[:40]),
)
def test_a_body_that_is_not_a_json_object_is_400(client: SeedClient, body: bytes) -> None:
    answer = client.http.post("/process", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_a_body_that_is_too_large_is_413(client: SeedClient) -> None:
    answer = client.http.post("/process", json={**EDIT, "padding": "x" * 300_000})
    assert (answer.status_code, answer.json()["success"]) == (413, False)
