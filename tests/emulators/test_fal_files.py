"""The emulator of fal stores files and signs webhooks as fal does."""

from __future__ import annotations

import hashlib
import json
import time
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tests.emulators.checks import http, photo, until
from tests.emulators.fal import Fal
from tests.emulators.fal.client import SOFA, cancel, result, submit
from tests.emulators.faults import Fault
from tests.emulators.receiver import Receiver


@pytest.fixture
def fal() -> Iterator[Fal]:
    with Fal(longest_side=64) as emulator:
        yield emulator


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def post(fal: Fal, path: str, body: Any) -> httpx.Response:
    return http.post(f"{fal.url}{path}", json=body, headers={"authorization": f"Key {fal.key}"})


def test_an_upload_with_a_token_can_be_the_input_of_an_edit(fal: Fal):
    before = datetime.now(UTC)
    token = post(fal, "/storage/auth/token?storage_type=fal-cdn-v3", {}).json()
    assert list(token) == ["token", "token_type", "base_url", "expires_at"]
    assert datetime.fromisoformat(token["expires_at"]) - before > timedelta(minutes=59)
    headers = {
        "authorization": f"{token['token_type']} {token['token']}",
        "content-type": "image/png",
        "x-fal-file-name": "room.png",
    }

    stored = http.post(f"{token['base_url']}/files/upload", content=photo(), headers=headers).json()

    url = stored["access_url"]
    assert url.endswith("room.png")
    file = http.get(url)
    assert (file.content, file.headers["content-type"]) == (photo(), "image/png")
    assert result(fal, submit(fal, {**SOFA, "image_url": url})).status_code == 200
    fal.ahead += 3601
    late = http.post(f"{token['base_url']}/files/upload", content=photo(), headers=headers)
    assert late.status_code == 401


def test_a_signed_upload_takes_the_bytes_without_a_key(fal: Fal):
    spec = {"content_type": "image/png", "file_name": "room.png"}
    signed = post(fal, "/storage/upload/initiate?storage_type=fal-cdn-v3", spec).json()
    assert list(signed) == ["upload_url", "file_url"]
    assert http.get(signed["file_url"]).status_code == 404

    wrong = http.put(signed["upload_url"], content=photo(), headers={"content-type": "image/jpeg"})
    right = http.put(signed["upload_url"], content=photo(), headers={"content-type": "image/png"})

    assert (wrong.status_code, right.status_code) == (403, 200)
    assert http.get(signed["file_url"]).content == photo()


def test_a_large_upload_is_sent_in_parts(fal: Fal):
    spec = {"content_type": "image/png", "file_name": "room.png"}
    signed = post(fal, "/storage/upload/initiate-multipart?storage_type=fal-cdn-v3", spec).json()
    url = signed["upload_url"]

    parts = [
        {"partNumber": number, "etag": http.put(f"{url}/{number}", content=content).headers["etag"]}
        for number, content in ((1, photo()[:100]), (2, photo()[100:]))
    ]

    assert http.post(f"{url}/complete", json={"parts": parts[:1]}).status_code == 400
    assert http.post(f"{url}/complete", json={"parts": parts}).status_code == 200
    assert http.get(signed["file_url"]).content == photo()


def test_incomplete_or_unknown_uploads_are_refused(fal: Fal):
    assert post(fal, "/storage/auth/token", {}).status_code == 400
    assert post(fal, "/storage/upload/initiate?storage_type=fal-cdn-v3", {}).status_code == 400
    assert http.put(f"{fal.url}/upload/nobody/knows", content=b"").status_code == 404


def verified(fal: Fal, headers: dict[str, str], body: bytes) -> bool:
    """Verify the signature as a client does: with any of the keys."""
    message = "\n".join(
        [
            headers["x-fal-webhook-request-id"],
            headers["x-fal-webhook-user-id"],
            headers["x-fal-webhook-timestamp"],
            hashlib.sha256(body).hexdigest(),
        ]
    )
    signature = bytes.fromhex(headers["x-fal-webhook-signature"])
    for key in http.get(f"{fal.url}/.well-known/jwks.json").json()["keys"]:
        assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
        public = Ed25519PublicKey.from_public_bytes(urlsafe_b64decode(key["x"] + "="))
        try:
            public.verify(signature, message.encode())
        except InvalidSignature:
            continue
        return True
    return False


def test_a_webhook_sends_the_result_and_is_signed(fal: Fal, receiver: Receiver):
    before = int(time.time())
    submitted = submit(fal, fal_webhook=receiver.url)

    [(headers, body)] = receiver.wait(1)

    request_id = submitted.json()["request_id"]
    assert json.loads(body) == {
        "request_id": request_id,
        "gateway_request_id": request_id,
        "status": "OK",
        "payload": result(fal, submitted).json(),
    }
    assert headers["content-type"] == "application/json"
    assert headers["x-fal-webhook-request-id"] == request_id
    assert before <= int(headers["x-fal-webhook-timestamp"]) <= time.time()
    assert verified(fal, headers, body)
    assert not verified(fal, headers, body + b" ")
    assert not verified(fal, {**headers, "x-fal-webhook-timestamp": "1"}, body)


def test_a_webhook_reports_errors(fal: Fal, receiver: Receiver):
    fal.script.next_submit = [Fault.PROMPT_MODERATED, Fault.OVERLOADED]

    first = submit(fal, fal_webhook=receiver.url)
    [(_, moderated)] = receiver.wait(1)
    submit(fal, fal_webhook=receiver.url)
    [_, (_, overloaded)] = receiver.wait(2)

    body = json.loads(moderated)
    assert (body["status"], body["error"]) == ("ERROR", "Invalid status code: 422")
    assert body["payload"] == result(fal, first).json()
    assert json.loads(overloaded)["error"] == "No runner could be scheduled for the request"


def test_a_webhook_is_retried_until_it_is_accepted(fal: Fal, receiver: Receiver):
    receiver.answers = [500, 503]

    submit(fal, fal_webhook=receiver.url)

    receiver.wait(3)
    until(lambda: [callback.status for callback in fal.callbacks], lambda all_: all_ == [500, 503, 200])
    assert len({body for _, body in receiver.got}) == 1


def test_a_webhook_reports_a_cancel(fal: Fal, receiver: Receiver):
    fal.script.next_submit = [Fault.NEVER_FINISHES]

    cancel(fal, submit(fal, fal_webhook=receiver.url))

    [(_, body)] = receiver.wait(1)
    assert json.loads(body)["error"] == "Request was cancelled"


def test_a_webhook_needs_a_url(fal: Fal):
    assert submit(fal, fal_webhook="somewhere").status_code == 400
