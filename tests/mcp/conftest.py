"""MCP tools in this process, without a worker: jobs wait until a test ends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from editor.access import scopes
from editor.access.actor import Actor
from editor.gateway.profile import Caller
from editor.mcp.tools.base import Answer, Call
from editor.mcp.tools.registry import TOOLS
from editor.operations import api_keys
from tests.factories import make_actor

AT = "https://portal.example"


class Agent:
    """An MCP client with a key. `progress`: the progress reported to its calls."""

    def __init__(self, actor: Actor, *scopes: str) -> None:
        self.actor = actor
        key, self.key = api_keys.create(actor=actor, name="agent", scopes=scopes)
        self.progress: list[tuple[float, float | None, str | None]] = []
        self._call = Call(caller=Caller(actor=actor, key=key), base_url=AT, report=self._report)

    async def _report(self, progress: float, total: float | None = None, message: str | None = None) -> None:
        self.progress.append((progress, total, message))

    async def ask(self, tool: str, **arguments: Any) -> Answer:
        """Call a tool; raises what the tool raises."""
        return await TOOLS[tool].answer(self._call, arguments)


@pytest.fixture
def agent(committed: None) -> Agent:
    """A client of the owner of a workspace with 100 credits."""
    return Agent(make_actor(), scopes.EVERYTHING)


@pytest.fixture
def with_scope(agent: Agent) -> Callable[[str], Agent]:
    """A client with another key of the same user that has only this scope."""
    return lambda scope: Agent(agent.actor, scope)
