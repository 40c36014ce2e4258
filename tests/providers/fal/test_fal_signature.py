"""Which callbacks are verified as fal's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from editor.providers.fal.adapter import Fal as Adapter
from editor.providers.fal.signature import public_keys, verify
from tests.emulators.fal import Fal
from tests.emulators.fal.webhooks import Signer
from tests.emulators.receiver import Receiver
from tests.providers.edits import edit

NOW = 1_800_000_000
BODY = b'{"request_id":"r1","status":"OK"}'


def signed(signer: Signer, *, at: int = NOW) -> dict[str, str]:
    headers = signer.headers(request_id="r1", timestamp=at, body=BODY)
    return {name.lower(): value for name, value in headers.items()}


async def test_a_callback_from_fal_is_verified_with_its_list_of_keys(adapter: Adapter, fal: Fal):
    with Receiver() as receiver:
        await adapter.submit(edit(fal, "fal-ai/flux-pro/kontext", callback_url=receiver.url))
        [(headers, body)] = receiver.wait(1)
    async with httpx.AsyncClient(verify=False) as client:
        jwks = (await client.get(f"{fal.url}/.well-known/jwks.json")).json()

    keys = public_keys(jwks)

    assert len(keys) == 2
    assert verify(body=body, headers=headers, keys=keys, now=int(headers["x-fal-webhook-timestamp"]))


@pytest.mark.parametrize(("seconds", "accepted"), [(-300, True), (300, True), (-301, False), (301, False)])
def test_an_old_callback_is_refused(seconds: int, accepted: bool):
    signer = Signer()

    assert (
        verify(body=BODY, headers=signed(signer), keys=public_keys(signer.jwks()), now=NOW + seconds)
        is accepted
    )


@pytest.mark.parametrize("name", ["request-id", "user-id", "timestamp", "signature"])
@pytest.mark.parametrize(
    "change",
    [
        lambda value: "",
        lambda value: value[:-1] + ("1" if value[-1] == "0" else "0"),
        lambda value: "ü" + value,
        lambda value: None,
    ],
    ids=["empty", "changed", "not ASCII", "missing"],
)
def test_a_modified_callback_is_refused(name: str, change: Callable[[str], str | None]):
    signer = Signer()
    headers = signed(signer)
    header = f"x-fal-webhook-{name}"
    changed = change(headers.pop(header))
    if changed is not None:
        headers[header] = changed

    assert not verify(body=BODY, headers=headers, keys=public_keys(signer.jwks()), now=NOW)


def test_another_body_is_refused():
    signer = Signer()

    assert not verify(body=BODY + b" ", headers=signed(signer), keys=public_keys(signer.jwks()), now=NOW)


@pytest.mark.parametrize("keys", [[], public_keys(Signer().jwks())])
def test_a_signature_by_another_key_is_refused(keys: list[bytes]):
    assert not verify(body=BODY, headers=signed(Signer()), keys=keys, now=NOW)


@pytest.mark.parametrize(
    "jwks",
    [
        None,
        [],
        {},
        {"keys": None},
        {"keys": [None, "x", {}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "c2hvcnQ"}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": 5}]},
        {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "ü"}]},
        {"keys": [{"kty": "OKP", "crv": "X25519", "x": "A" * 43}]},
    ],
)
def test_a_list_without_valid_keys_is_empty(jwks: Any):
    assert public_keys(jwks) == []
