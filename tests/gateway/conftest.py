"""Fixtures that the tests of this folder share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from editor.access.actor import Actor
from editor.gateway.middleware import GatewayMiddleware
from editor.operations import api_keys
from tests.factories import make_actor
from tests.gateway.api import PROFILE, app


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=GatewayMiddleware(app, PROFILE), client=("203.0.113.9", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def key(actor: Actor) -> str:
    return api_keys.create(actor=actor, name="script")[1]
