"""The public API in this process, without a worker."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from editor.access.actor import Actor
from editor.api.profile import PATH, PROFILE
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.operations import api_keys
from tests.factories import make_actor


@pytest.fixture
def key(committed: None) -> str:
    """Of the owner of a workspace with 100 credits."""
    actor: Actor = make_actor()
    return api_keys.create(actor=actor, name="script")[1]


@pytest.fixture
async def client(key: str) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://localhost{PATH}", headers=headers
    ) as client:
        yield client
