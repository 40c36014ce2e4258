"""The Wiro-compatible API in this process, without a worker: tasks stay in the queue."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from editor.access import signatures
from editor.access.actor import Actor
from editor.compat.wiro.profile import PROFILE
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.operations import api_keys
from tests.factories import make_actor

# Integers that are not timestamps.
_nonces = itertools.count(1)


@dataclass
class Signer:
    """A key with its signing secret."""

    bare: str
    secret: str

    def headers(self, nonce: object = None) -> dict[str, str]:
        text = str(next(_nonces) if nonce is None else nonce)
        digest = hmac.new(self.bare.encode(), f"{self.secret}{text}".encode(), hashlib.sha256).hexdigest()
        return {"x-api-key": self.bare, "x-nonce": text, "x-signature": digest}


@pytest.fixture
def actor(committed: None) -> Actor:
    """The owner of a workspace with 100 credits."""
    return make_actor()


@pytest.fixture
def key(actor: Actor) -> str:
    return api_keys.create(actor=actor, name="script")[1]


@pytest.fixture
def signer(actor: Actor) -> Signer:
    key, bare = api_keys.create(actor=actor, name="Wiro", signed=True)
    return Signer(bare, signatures.secret_of(key))


@pytest.fixture
async def client(actor: Actor) -> AsyncIterator[httpx.AsyncClient]:
    """Without a key."""
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost/v1/") as client:
        yield client


@pytest.fixture
def ask(client: httpx.AsyncClient, key: str) -> Callable[..., Any]:
    """Post fields as JSON with the key and return the response's content."""

    async def post(path: str, **fields: Any) -> Any:
        answer = await client.post(path, json=fields, headers={"x-api-key": key})
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)

    return post
