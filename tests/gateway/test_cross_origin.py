"""Calls from pages of other sites: preflight requests, and headers that make responses readable."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from editor.access.actor import Actor
from editor.api.profile import PATH
from editor.concurrency.threads import in_thread
from editor.operations import api_keys
from imageeditor.asgi import application
from tests.factories import make_actor
from tests.operations.upload_files import announce

pytestmark = pytest.mark.usefixtures("committed")

SHOP = {"origin": "https://shop.example"}
PREFLIGHT = {
    **SHOP,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization",
}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        yield client


@pytest.fixture
def actor(committed: None) -> Actor:
    return make_actor()


@pytest.mark.parametrize("call", ["process", "upload-url", "estimate-credits", "jobs", "models"])
async def test_a_preflight_request_needs_no_key(client: httpx.AsyncClient, call: str) -> None:
    answer = await client.options(f"{PATH}{call}", headers=PREFLIGHT)
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["access-control-allow-methods"] == "GET, POST"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    assert "access-control-allow-credentials" not in answer.headers


async def test_responses_and_errors_are_readable(client: httpx.AsyncClient, actor: Actor) -> None:
    _, key = await in_thread(lambda: api_keys.create(actor=actor, name="shop"))
    for headers, status in (({"authorization": f"Bearer {key}"}, 200), ({}, 401)):
        answer = await client.get(f"{PATH}models", headers={**SHOP, **headers})
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (status, "*")
        exposed = answer.headers["access-control-expose-headers"].split(", ")
        assert {"X-RateLimit-Limit", "Retry-After", "Location"} <= set(exposed)


async def test_upload_links_accept_files_from_other_sites(client: httpx.AsyncClient, actor: Actor) -> None:
    ticket = await in_thread(announce, actor)
    put = {**SHOP, "access-control-request-method": "PUT"}
    answer = await client.options(ticket.upload_url, headers=put)
    assert (answer.status_code, answer.headers["access-control-allow-methods"]) == (204, "PUT")
    answer = await client.put(ticket.upload_url, content=b"x", headers={**SHOP, "content-type": "image/png"})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize("path", ["/accounts/login/", "/v1/flux-2-pro", "/v1/images/edits", "/mcp", "/"])
async def test_pages_and_other_apis_do_not_allow_other_sites(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.options(path, headers=PREFLIGHT)
    assert "access-control-allow-origin" not in answer.headers


async def test_options_without_a_preflight_request_still_need_a_key(client: httpx.AsyncClient) -> None:
    assert (await client.options(f"{PATH}process")).status_code == 401
