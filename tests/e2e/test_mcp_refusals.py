"""Errors that the official MCP client gets, in both modes of the protocol."""

from __future__ import annotations

from typing import Any

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests import ask
from tests.e2e import agent
from tests.e2e.agent import MODES, Mode, data, refusal
from tests.e2e.api import Api, open_spaces


@pytest.fixture(scope="module")
def keys(api: Api) -> dict[str, str]:
    """Keys of workspaces that only these tests use."""
    spaces: dict[str, dict[str, Any]] = {
        "refused": {"workspace": "Refused agents"},
        "tight": {"workspace": "Agents tight", "requests_per_minute": 3},
        "apart": {"workspace": "Agents apart"},
    }
    return open_spaces(api.portal, spaces)


@pytest.mark.parametrize("mode", MODES)
def test_a_moderated_edit_is_reported_and_costs_nothing(api: Api, keys: dict[str, str], mode: Mode) -> None:
    wrong = refusal(
        agent.call(api.portal.url, keys["refused"], "edit_image", mode=mode, prompt="a harbour [moderate]")
    )
    assert wrong["code"] == "moderated"
    ((job_id, charged),) = api.portal.query(
        "SELECT id::text, charged FROM editor_job WHERE prompt = 'a harbour [moderate]' "
        "AND channel = 'mcp' ORDER BY created_at DESC LIMIT 1"
    )
    assert job_id in wrong["error"]
    assert charged == 0
    reported = data(agent.call(api.portal.url, keys["refused"], "geteditresult", mode=mode, id=job_id))
    assert (reported["status"], reported["result"]) == ("Content Moderated", None)


@pytest.mark.parametrize("mode", MODES)
def test_errors_are_reported_by_the_tool(api: Api, mode: Mode) -> None:
    url, edit = api.portal.url, {"prompt": "a quiet harbour", "model_tier": "standard"}
    wrong = refusal(agent.call(url, api.keys["acme"], "edit_image", mode=mode, prompt="x", steps=5))
    assert wrong["fields"].keys() == {"steps"}
    wrong = refusal(agent.call(url, api.keys["poor"], "edit_image", mode=mode, **edit))
    assert wrong["code"] == "insufficient_credits"
    wrong = refusal(agent.call(url, api.keys["reader"], "edit_image", mode=mode, **edit))
    assert (wrong["code"], "image_editor:write" in wrong["error"]) == ("permission_denied", True)
    wrong = refusal(agent.call(url, api.keys["writer"], "list_jobs", mode=mode))
    assert (wrong["code"], "image_editor:read" in wrong["error"]) == ("permission_denied", True)
    wrong = refusal(agent.call(url, api.keys["acme"], "edit_image", mode=mode, **edit, images=["!"]))
    assert wrong["code"] == "invalid_input"


@pytest.mark.parametrize("mode", MODES)
def test_too_many_requests_are_refused_with_a_message(api: Api, keys: dict[str, str], mode: Mode) -> None:
    async def work(client: Client) -> None:
        for _ in range(4):
            await client.list_tools(cache_mode="bypass")

    with pytest.raises(BaseException) as refused:
        agent.run(api.portal.url, keys["tight"], work, mode=mode)
    assert "allows 3 requests per minute" in flat(refused.value).message


def flat(error: BaseException) -> MCPError:
    """The only error in nested groups, in which errors during the connect are raised."""
    while isinstance(error, BaseExceptionGroup):
        (error,) = error.exceptions
    assert isinstance(error, MCPError), error
    return error


@pytest.mark.parametrize("mode", MODES)
def test_an_invalid_key_is_refused(api: Api, mode: Mode) -> None:
    async def work(client: Client) -> None:
        await client.list_tools()

    with pytest.raises(BaseException) as refused:
        agent.run(api.portal.url, "flk_nobody", work, mode=mode)
    assert flat(refused.value).message == "Missing or invalid API key."


@pytest.mark.parametrize(
    ("header", "value", "status"),
    [("origin", "https://evil.example", 403), ("host", "evil.example", 400), ("authorization", "", 401)],
)
def test_foreign_origins_and_hosts_and_missing_keys_are_refused(
    api: Api, header: str, value: str, status: int
) -> None:
    headers = {
        "accept": "application/json, text/event-stream",
        "authorization": f"Bearer {api.keys['acme']}",
        header: value,
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    answer = ask.post(f"{api.portal.url}/mcp", json=call, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, -32600)


def test_jobs_of_other_workspaces_cannot_be_listed_read_or_canceled(api: Api, keys: dict[str, str]) -> None:
    url, prompt = api.portal.url, "a harbour that is not yours"
    job_id = data(agent.call(url, keys["refused"], "edit_image", prompt=prompt))["job_id"]
    assert data(agent.call(url, keys["apart"], "list_jobs"))["jobs"] == []
    for tool, arguments in (("geteditresult", {"id": job_id}), ("cancel_job", {"job_id": job_id})):
        assert refusal(agent.call(url, keys["apart"], tool, **arguments))["code"] == "not_found"
