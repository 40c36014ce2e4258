"""The BFL-compatible API in this process, without a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from editor.access.actor import Actor
from editor.compat.bfl.profile import PROFILE
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.operations import api_keys
from tests.factories import make_actor


@pytest.fixture
def actor(committed: None) -> Actor:
    """The owner of a workspace with 100 credits."""
    return make_actor()


@pytest.fixture
def key(actor: Actor) -> str:
    return api_keys.create(actor=actor, name="script")[1]


@pytest.fixture
async def anybody() -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
async def client(anybody: httpx.AsyncClient, key: str) -> httpx.AsyncClient:
    anybody.headers["x-key"] = key
    return anybody
