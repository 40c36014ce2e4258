"""Signed callbacks: fal's, whose public keys the portal fetches."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Iterator

import pytest
from django.test import AsyncClient
from pytest_django import Settings

from editor.engine import requests
from editor.net import policy
from editor.providers import http
from editor.providers.fal import keys
from tests.emulators.fal import Fal
from tests.emulators.fal.webhooks import Signer

BODY = b'{"request_id": "r1", "status": "OK", "payload": {}}'


@pytest.fixture
def fal(settings: Settings) -> Iterator[Fal]:
    policy.allow(["127.0.0.0/8"])
    with Fal() as emulator:
        account = {"base_url": emulator.url, "key": emulator.key, "secret": ""}
        settings.PROVIDERS = {**settings.PROVIDERS, "fal": account}
        yield emulator
    policy.allow([])


@pytest.fixture(autouse=True)
async def no_cached_keys() -> AsyncIterator[None]:
    """Each test fetches the keys anew."""
    yield
    await http.close()
    keys._fetched.clear()


async def post(headers: dict[str, str], *, provider: str = "fal", body: bytes = BODY) -> int:
    path = requests.callback_path(job_id=uuid.uuid4(), provider=provider)
    headers.pop("Content-Type", None)
    answer = await AsyncClient().post(path, body, content_type="application/json", headers=headers)
    return answer.status_code


def signed(signer: Signer, *, seconds_ago: int = 0) -> dict[str, str]:
    return signer.headers(request_id="r1", timestamp=int(time.time()) - seconds_ago, body=BODY)


def fetches(fal: Fal) -> int:
    return sum(call.url.endswith("/jwks.json") for call in fal.calls)


async def test_a_valid_signature_is_accepted(fal: Fal) -> None:
    assert await post(signed(fal.signer)) == 200


async def test_an_invalid_signature_is_refused(fal: Fal) -> None:
    assert await post(signed(Signer())) == 401
    assert await post(signed(fal.signer), body=BODY + b" ") == 401
    assert await post(signed(fal.signer, seconds_ago=301)) == 401
    assert await post({"X-Fal-Webhook-Signature": "ff"}) == 401


async def test_a_callback_without_a_signature_is_accepted(fal: Fal) -> None:
    assert await post({}) == 200
    assert fetches(fal) == 0


async def test_the_keys_are_fetched_once_a_day(fal: Fal, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        assert await post(signed(fal.signer)) == 200
    assert fetches(fal) == 1

    monkeypatch.setattr(keys, "KEPT", -1.0)
    keys._fetched.clear()
    await post(signed(fal.signer))
    await post(signed(fal.signer))
    assert fetches(fal) == 3


async def test_callbacks_are_accepted_while_the_keys_cannot_be_fetched(
    fal: Fal, monkeypatch: pytest.MonkeyPatch
) -> None:
    fal.stop()
    assert await post(signed(Signer())) == 200
    fal.start()
    assert await post(signed(Signer())) == 200
    assert fetches(fal) == 0, "they are not asked for again at once"

    keys._fetched[f"{fal.url}/.well-known/jwks.json"].until = 0
    assert await post(signed(Signer())) == 401


@pytest.mark.parametrize("provider", ["bfl", "wiro", "kie"])
async def test_signatures_are_ignored_for_providers_that_do_not_sign(fal: Fal, provider: str) -> None:
    assert await post(signed(Signer()), provider=provider) == 200
