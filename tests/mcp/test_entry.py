"""Requests to /mcp: authentication, limits, and errors before and in the SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pytest_django import Settings

from editor.gateway.middleware import GatewayMiddleware
from editor.mcp.entry import serve
from editor.mcp.profile import BODY_LIMIT, PATH, PROFILE
from tests.mcp.conftest import Agent

HEADERS = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
LIST = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {}}


@pytest.fixture
async def client(agent: Agent) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=GatewayMiddleware(serve, PROFILE))
    headers = {**HEADERS, "authorization": f"Bearer {agent.key}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


def error(answer: httpx.Response) -> Any:
    """The JSON-RPC error of a response."""
    body = answer.json()
    assert (body["jsonrpc"], body["id"]) == ("2.0", None)
    assert body["error"]["message"]
    return body["error"]


def test_a_portal_starts_without_the_sdk() -> None:
    program = "import imageeditor.asgi, sys; print('mcp' in sys.modules, 'starlette' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


async def test_a_request_needs_no_handshake(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=LIST)
    assert answer.status_code == 200
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data:")]
    assert "edit_image" in {tool["name"] for tool in json.loads(line[5:])["result"]["tools"]}
    assert answer.headers["x-ratelimit-remaining"]


async def test_a_valid_key_is_required(client: httpx.AsyncClient) -> None:
    for key in ("", "Bearer", "Bearer x", "Basic abc"):
        answer = await client.post(PATH, json=LIST, headers={"authorization": key})
        assert answer.status_code == 401
        assert error(answer)["data"]["code"] == "not_authenticated"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("path", ["/mcp/x", "/mcpx", "/mcp//"])
async def test_only_the_exact_path_is_served(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.post(path, json=LIST)
    assert answer.status_code == (200 if path == "/mcp//" else 404)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "HEAD", "OPTIONS"])
async def test_only_post_is_allowed(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, PATH)
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        error(answer)


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost:81", "https://localhost", "null", ""]
)
async def test_foreign_origins_are_refused(client: httpx.AsyncClient, origin: str) -> None:
    answer = await client.post(PATH, json=LIST, headers={"origin": origin})
    assert answer.status_code == 403
    assert error(answer)["data"]["code"] == "permission_denied"


async def test_the_portals_own_origin_is_allowed(client: httpx.AsyncClient, settings: Settings) -> None:
    answer = await client.post(PATH, json=LIST, headers={"origin": "http://localhost"})
    assert answer.status_code == 200
    settings.BASE_URL = "https://portal.example"
    for origin, status in (("https://portal.example", 200), ("http://localhost", 403)):
        answer = await client.post(PATH, json=LIST, headers={"origin": origin})
        assert answer.status_code == status


async def test_a_foreign_host_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(PATH, json=LIST, headers={"host": "evil.example"})
    assert answer.status_code == 400
    error(answer)


async def test_the_body_is_limited(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(BODY_LIMIT // 2**20 + 1):
            yield b" " * 2**20

    for content in (b" " * (BODY_LIMIT + 1), pieces()):
        answer = await client.post(PATH, content=content)
        assert answer.status_code == 413
        assert error(answer)["data"]["code"] == "too_large"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"7",
        b"null",
        b'{"jsonrpc": "1.0"}',
        b"\xff",
        b"[" * 100_000,
        b'{"id": 1, "method": 7}',
    ],
)
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
async def test_a_body_that_is_not_json_rpc_is_refused(
    client: httpx.AsyncClient, body: bytes, version: str
) -> None:
    answer = await client.post(PATH, content=body, headers={"mcp-protocol-version": version})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] < 0


async def test_an_unknown_tool_is_a_protocol_error(client: httpx.AsyncClient) -> None:
    call = {**LIST, "method": "tools/call", "params": {"name": "paint", "arguments": {}}}
    answer = await client.post(PATH, json=call)
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data:")]
    assert json.loads(line[5:])["error"]["code"] == -32602


async def test_an_internal_error_is_reported_without_its_message(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **more: Any) -> None:
        raise RuntimeError("secret words")

    monkeypatch.setattr("editor.queries.pricing.offer", broken)
    call = {**LIST, "method": "tools/call", "params": {"name": "list_models", "arguments": {}}}
    answer = await client.post(PATH, json=call)
    assert answer.status_code == 200
    assert "secret" not in answer.text
    (line,) = [line for line in answer.text.splitlines() if line.startswith("data:")]
    assert json.loads(line[5:])["result"]["isError"]
