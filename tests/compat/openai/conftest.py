"""The OpenAI-compatible API in this process, without a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from pytest_django import Settings

from editor.access.actor import Actor
from editor.compat.openai.headers import WithHeaders
from editor.compat.openai.profile import PROFILE
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
async def client(key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=WithHeaders(GatewayMiddleware(ProgramHandler(), PROFILE)))
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost/v1/", headers=headers
    ) as client:
        yield client


@pytest.fixture(autouse=True)
def short_hold(settings: Settings) -> None:
    """Shorten the wait for results: no worker runs here, so no job ends."""
    settings.HOLD_SECONDS = 0.1
