"""Keys with and without signatures, and the use of nonces."""

from __future__ import annotations

import asyncio
import time
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from editor.access import signatures
from editor.access.actor import Actor
from editor.access.scopes import READ
from editor.concurrency.threads import in_thread
from editor.models import ApiKey, Job, SpentNonce
from editor.operations import api_keys, nonces
from tests.compat.wiro.conftest import Signer

UNKNOWN = "Project authorization is not founded."
WRONG = "Project authorization is not valid."
MISSING = "Project requires signature authentication. x-signature and x-nonce headers are required."
RUN = "Run/black-forest-labs/flux-2-pro"
DETAIL = "Task/Detail"


def refusal(answer: httpx.Response) -> tuple[int, Any]:
    content = answer.json()
    assert content["result"] is False
    return answer.status_code, content["errors"]


async def jobs() -> int:
    return await in_thread(Job.objects.count)


async def test_a_key_without_a_secret_needs_no_signature(client: httpx.AsyncClient, key: str) -> None:
    answer = await client.post(RUN, json={"prompt": "a harbour"}, headers={"X-API-Key": key})
    assert answer.json()["result"] is True


@pytest.mark.parametrize("bad", ["", "x", "flk_" + "a" * 46])
async def test_an_unknown_key_is_refused(client: httpx.AsyncClient, bad: str) -> None:
    answer = await client.post(DETAIL, headers={"x-api-key": bad} if bad else {})
    assert refusal(answer) == (401, [{"code": 0, "message": UNKNOWN}])


async def test_a_revoked_key_is_refused(client: httpx.AsyncClient, key: str) -> None:
    await in_thread(ApiKey.objects.update, revoked_at=timezone.now())
    answer = await client.post(DETAIL, headers={"x-api-key": key})
    assert refusal(answer) == (401, [{"code": 0, "message": UNKNOWN}])


async def test_a_signing_key_requires_nonce_and_signature(client: httpx.AsyncClient, signer: Signer) -> None:
    whole = signer.headers()
    for name in ("x-nonce", "x-signature"):
        part = {each: value for each, value in whole.items() if each != name}
        answer = await client.post(DETAIL, headers=part)
        assert refusal(answer) == (401, [{"code": 0, "message": MISSING}])


def test_the_signature_matches_wiros_documentation() -> None:
    signed = Signer("test-api-key", "test-api-secret").headers("1734513809")["x-signature"]
    assert signed == "1bffbfd309fba76ce06fcbc394a6eae6b6836c15c5982de31646f03ce278e33b"


async def test_the_prefix_that_openssl_prints_before_the_signature_is_ignored(
    client: httpx.AsyncClient, signer: Signer
) -> None:
    for prefix in ("(stdin)= ", "SHA2-256(stdin)= ", "HMAC-SHA2-256(stdin)= "):
        headers = signer.headers()
        headers["x-signature"] = f"{prefix}{headers['x-signature']}"
        answer = await client.post(DETAIL, json={"taskid": "1"}, headers=headers)
        assert answer.json()["errors"][0]["message"] == "There is no task yet."


@pytest.mark.parametrize("signature", ["0" * 64, "é", " ", "x" * 5000])
async def test_a_wrong_signature_is_refused(
    client: httpx.AsyncClient, signer: Signer, signature: str
) -> None:
    headers = {**signer.headers(), "x-signature": signature}
    sent = {name.encode(): value.encode() for name, value in headers.items()}
    status, errors = refusal(await client.post(DETAIL, headers=sent))
    assert (status, errors[0]["message"]) in {(401, WRONG), (401, MISSING)}


async def test_another_keys_signature_is_refused(
    client: httpx.AsyncClient, signer: Signer, actor: Actor
) -> None:
    _, other = await in_thread(lambda: api_keys.create(actor=actor, name="Other", signed=True))
    answer = await client.post(DETAIL, headers={**signer.headers(), "x-api-key": other})
    assert refusal(answer) == (401, [{"code": 0, "message": WRONG}])


@pytest.mark.parametrize("factor", [1, 1000], ids=["seconds", "milliseconds"])
@pytest.mark.parametrize(
    ("away", "good"), [(0, True), (-150, True), (290, True), (-310, False), (450, False), (-(10**8), False)]
)
async def test_a_timestamp_nonce_must_be_recent(
    client: httpx.AsyncClient, signer: Signer, factor: int, away: int, good: bool
) -> None:
    headers = signer.headers(int((time.time() + away) * factor))
    answer = await client.post(DETAIL, json={"taskid": "1"}, headers=headers)
    assert answer.status_code == (200 if good else 401)


@pytest.mark.parametrize("nonce", ["7", "0", "99999999999", "17345138091734513809", "9" * 40])
async def test_a_nonce_may_be_any_other_integer(
    client: httpx.AsyncClient, signer: Signer, nonce: str
) -> None:
    answer = await client.post(RUN, json={"prompt": "a harbour"}, headers=signer.headers(nonce))
    assert answer.json()["result"] is True


@pytest.mark.parametrize("nonce", ["-1", "1.5", "abc", "9" * 41, "1e9", "0x10"])
async def test_a_nonce_must_be_an_integer(client: httpx.AsyncClient, signer: Signer, nonce: str) -> None:
    answer = await client.post(DETAIL, headers=signer.headers(nonce))
    assert refusal(answer) == (401, [{"code": 0, "message": WRONG}])


async def test_one_nonce_starts_one_run(client: httpx.AsyncClient, signer: Signer) -> None:
    headers = signer.headers()
    assert (await client.post(RUN, json={"prompt": "a harbour"}, headers=headers)).json()["result"]
    for prompt in ("a harbour", "a forest"):
        again = await client.post(RUN, json={"prompt": prompt}, headers=headers)
        assert refusal(again) == (401, [{"code": 0, "message": WRONG}])
    assert await jobs() == 1


async def test_a_second_nonce_header_is_refused(client: httpx.AsyncClient, signer: Signer) -> None:
    headers = list(signer.headers().items())
    assert (await client.post(RUN, json={"prompt": "a harbour"}, headers=headers)).json()["result"]
    again = await client.post(RUN, json={"prompt": "a harbour"}, headers=[*headers, ("x-nonce", "99")])
    assert refusal(again) == (401, [{"code": 0, "message": UNKNOWN}])
    assert await jobs() == 1


async def test_of_concurrent_runs_with_one_nonce_one_succeeds(
    client: httpx.AsyncClient, signer: Signer
) -> None:
    headers = signer.headers()
    answers = await asyncio.gather(
        *(client.post(RUN, json={"prompt": "a harbour"}, headers=headers) for _ in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
    assert await jobs() == 1


async def test_a_refused_run_does_not_spend_the_nonce(client: httpx.AsyncClient, signer: Signer) -> None:
    headers = signer.headers()
    assert (await client.post(RUN, json={"prompt": ""}, headers=headers)).json()["result"] is False
    assert (await client.post(RUN, json={"prompt": "a harbour"}, headers=headers)).json()["result"] is True


async def test_reads_do_not_spend_the_nonce(client: httpx.AsyncClient, signer: Signer) -> None:
    headers = signer.headers()
    for task in ("1", "2", "2"):
        answer = await client.post(DETAIL, json={"taskid": task}, headers=headers)
        assert answer.json()["errors"][0]["message"] == "There is no task yet."
    assert not await in_thread(SpentNonce.objects.exists)


async def test_one_nonce_cancels_only_one_task(client: httpx.AsyncClient, signer: Signer) -> None:
    started = [
        (await client.post(RUN, json={"prompt": "a harbour"}, headers=signer.headers())).json()["taskid"]
        for _ in range(2)
    ]
    headers = signer.headers()
    first = await client.post("Task/Cancel", json={"taskid": started[0]}, headers=headers)
    assert first.json()["tasklist"][0]["status"] == "task_cancel"
    again = await client.post("Task/Cancel", json={"taskid": started[0]}, headers=headers)
    assert again.json()["errors"][0]["message"] == "Task is not in a cancellable state."
    other = await client.post("Task/Cancel", json={"taskid": started[1]}, headers=headers)
    assert refusal(other) == (401, [{"code": 0, "message": WRONG}])
    # The nonce is not spent for another call.
    killed = await client.post("Task/Kill", json={"taskid": started[1]}, headers=headers)
    assert killed.json()["tasklist"][0]["status"] == "task_cancel"


async def test_a_read_only_key_cannot_change_anything(client: httpx.AsyncClient, actor: Actor) -> None:
    _, bare = await in_thread(lambda: api_keys.create(actor=actor, name="reader", scopes=[READ]))
    for path in (RUN, "Task/Kill", "Task/Cancel", "File/Upload", "Task/InputOutputDelete"):
        status, errors = refusal(await client.post(path, json={}, headers={"x-api-key": bare}))
        assert status == 403
        assert "image_editor:write" in errors[0]["message"]
    answer = await client.post("Task/List", json={}, headers={"x-api-key": bare})
    assert answer.json()["result"] is True


@pytest.mark.parametrize("path", ["Task/Nothing", "Task/Detail/", "Run/one", "Run/one/two/three", "File/x"])
async def test_an_unknown_path_is_reported_as_wiro_does(
    client: httpx.AsyncClient, key: str, path: str
) -> None:
    answer = await client.post(path, headers={"x-api-key": key})
    assert refusal(answer) == (404, [{"code": 0, "message": "Error parsing url."}])


async def test_nonces_with_expired_timestamps_are_deleted(signer: Signer) -> None:
    def work() -> set[str]:
        key = api_keys.find(signer.bare)
        assert key
        now = str(int(time.time()))
        for nonce in ("7", now, now + "000", "1" + now, "12345678901234"):
            nonces.spend(key=key, call="Run", nonce=nonce, body_hash="")
        assert nonces.forget() == 0
        SpentNonce.objects.update(created_at=timezone.now() - timedelta(minutes=12))
        assert nonces.forget() == 2
        return set(SpentNonce.objects.values_list("nonce", flat=True)) - {"1" + now}

    assert await in_thread(work) == {"7", "12345678901234"}


async def test_the_nonces_of_a_revoked_key_are_deleted(signer: Signer) -> None:
    def work() -> int:
        key = api_keys.find(signer.bare)
        assert key
        nonces.spend(key=key, call="Run", nonce="7", body_hash="")
        ApiKey.objects.update(revoked_at=timezone.now())
        return nonces.forget()

    assert await in_thread(work) == 1


@settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(nonce=some.text(max_size=60), signature=some.text(max_size=120))
def test_any_wrong_signature_is_refused(signer: Signer, nonce: str, signature: str) -> None:
    key = api_keys.find(signer.bare)
    assert key
    with pytest.raises(signatures.NotSigned):
        signatures.check(key=key, bare=signer.bare, nonce=nonce, signature=signature)
