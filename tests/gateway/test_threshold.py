"""An edit dearer than a workspace allows without an approval: every API says so in the same words."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from editor.access.scopes import EVERYTHING
from editor.api.profile import PATH
from editor.api.profile import PROFILE as PUBLIC
from editor.compat.bfl.profile import PROFILE as BFL
from editor.compat.openai.profile import PROFILE as OPENAI
from editor.compat.wiro.profile import PROFILE as WIRO
from editor.concurrency.threads import in_thread
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.gateway.profile import Profile
from editor.mcp.profile import problem
from editor.models import Job
from editor.operations import api_keys
from editor.operations.limits import OverLimit
from tests.approvals import KONTEXT, PRICE, PROMPT, Team, make_team
from tests.mcp.conftest import Agent

WORDS = (
    "In this workspace, an edit that costs more than 3 credits needs an approval, and this one costs 4. "
    "You can ask for an approval in the Studio, or in the public API with `approval` set to `request`."
)
LIMIT = {"limit": "threshold", "remaining": 3, "resets_at": None}


@pytest.fixture
def team(committed: None) -> Team:
    """Its editor has no cap."""
    return make_team(cap=None, approval_threshold=PRICE - 1)


async def post(team: Team, profile: Profile, path: str, header: str, **fields: str) -> httpx.Response:
    """With a key of the editor."""
    key = (await in_thread(api_keys.create, actor=team.editor, name="script"))[1]
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), profile))
    headers = {header: f"Bearer {key}" if header == "authorization" else key}
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, json={"prompt": PROMPT, **fields}, headers=headers)


async def test_the_public_api_names_it_as_a_limit_that_never_resets(team: Team) -> None:
    answer = await post(team, PUBLIC, f"{PATH}process", "authorization", model_tier="standard")
    found = answer.json()
    assert (answer.status_code, found["code"], found["error"]) == (402, "insufficient_credits", WORDS)
    assert {name: found[name] for name in LIMIT} == LIMIT


@pytest.mark.parametrize(
    ("profile", "path", "header", "fields", "status", "words"),
    [
        (BFL, "/v1/flux-kontext-pro", "x-key", {}, 402, f"Insufficient credits. {WORDS}"),
        (WIRO, f"/v1/Run/{KONTEXT}", "x-api-key", {}, 200, f"Insufficient balance. {WORDS}"),
        (OPENAI, "/v1/images/generations", "authorization", {"model": KONTEXT}, 429, WORDS),
    ],
    ids=["bfl", "wiro", "openai"],
)
async def test_a_compatible_api_says_so_in_its_own_form(
    team: Team,
    profile: Profile,
    path: str,
    header: str,
    fields: dict[str, str],
    status: int,
    words: str,
) -> None:
    answer = await post(team, profile, path, header, **fields)
    assert answer.status_code == status
    assert _said(answer.json()) == words
    assert not await in_thread(Job.objects.exists)


def _said(body: dict[str, Any]) -> object:
    """By BFL, Wiro or OpenAI."""
    if "detail" in body:
        return body["detail"]
    return body["errors"][0]["message"] if "errors" in body else body["error"]["message"]


async def test_agents_are_told_too(team: Team) -> None:
    agent = await in_thread(Agent, team.editor, EVERYTHING)
    with pytest.raises(OverLimit) as refused:
        await agent.ask("edit_image", prompt=PROMPT, model_tier="standard")
    assert problem(refused.value) == {"error": WORDS, "code": "insufficient_credits", **LIMIT}
