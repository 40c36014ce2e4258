"""Every API call and MCP tool with every kind of key: allowed or refused as the table of permissions says.

Requests have no content: authorization comes first, so an allowed one is rejected later, and nothing changes.
"""

from __future__ import annotations

import httpx
import pytest

from editor.access import scopes
from editor.concurrency.threads import in_thread
from editor.gateway import middleware
from editor.management import entry_points
from editor.management.entry_points import EntryPoint
from imageeditor.asgi import application
from tests.permissions.team import ALL_SCOPES, KEYS, RIGHTS, Team, holds, make_team

CALLS = [one for one in entry_points.all_of_them() if one.kind == "call"]
TOOLS = [one for one in entry_points.all_of_them() if one.kind == "tool"]


def may(name: str, one: EntryPoint) -> bool:
    """What the table says. A stranger's key works in their own workspace."""
    owned = KEYS.get(name, ALL_SCOPES)
    permission = scopes.PERMISSIONS[one.scope]
    return scopes.allows(owned, one.scope) and (name == "stranger" or holds(name, permission))


def headers(team: Team, name: str) -> dict[str, str]:
    """The key where each of the APIs looks for it."""
    key = team.keys.get(name)
    everywhere = {"authorization": f"Bearer {key}", "x-key": str(key), "x-api-key": str(key)} if key else {}
    return {"accept": "application/json, text/event-stream", **everywhere}


async def call(client: httpx.AsyncClient, method: str, url: str) -> str:
    response = await client.request(method, url, json={} if method != "GET" else None)
    if response.status_code == 405:
        return "no such method"
    if response.status_code >= 500:
        return f"failed with {response.status_code}"
    return "refused" if response.status_code in (401, 403) else "allowed"


async def use(client: httpx.AsyncClient, tool: str) -> str:
    params = {"name": tool, "arguments": {}}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    response = await client.post("/mcp", json=asked)
    if response.status_code in (401, 403):
        return "refused"
    assert response.status_code == 200, response.text
    return "refused" if '"permission_denied"' in response.text else "allowed"


async def test_everybody_gets_what_the_table_says(committed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "REFUSED_A_MINUTE", 1_000_000)
    team = await in_thread(make_team)
    transport = httpx.ASGITransport(app=application)
    wrong, asked = [], 0
    for name in RIGHTS:
        async with httpx.AsyncClient(
            transport=transport, base_url="http://localhost", headers=headers(team, name)
        ) as client:
            found = [
                (one, method, await call(client, method, team.url(one.name)))
                for one in CALLS
                for method in one.methods or ("GET", "POST")
            ]
            found += [(one, "tool", await use(client, one.name)) for one in TOOLS]
        asked += len(found)
        wrong += [
            (name, method, one.name, result)
            for one, method, result in found
            if result not in ("no such method", "allowed" if may(name, one) else "refused")
        ]
    assert wrong == []
    assert asked >= len(RIGHTS) * (len(CALLS) + len(TOOLS))


async def test_a_strangers_key_finds_no_row_of_the_workspace(committed: None) -> None:
    team = await in_thread(make_team)
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://localhost", headers=headers(team, "stranger")
    ) as client:
        for one in CALLS:
            if "_id}" not in one.name:
                continue
            for method in one.methods:
                response = await client.request(method, team.url(one.name), json={})
                assert response.status_code in (400, 404), (method, one.name)
        jobs = await client.get("/api/v1/image-editor/jobs")
        assert (jobs.status_code, jobs.json()["data"]) == (200, [])
