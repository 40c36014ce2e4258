"""Running tools in the SDK."""

from __future__ import annotations

import asyncio

import anyio

from editor.mcp import server
from editor.mcp.tools.base import Answer
from tests.patience import PATIENCE


async def test_cleanup_of_a_tool_finishes_after_its_caller_disconnects() -> None:
    begun, cleaned_up = asyncio.Event(), asyncio.Event()

    async def work() -> Answer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            cleaned_up.set()
        return Answer({})

    async def disconnect() -> None:
        await begun.wait()
        scope.cancel()

    with anyio.CancelScope() as scope:
        disconnecting = asyncio.create_task(disconnect())
        await server._apart(work())
    assert scope.cancelled_caught
    await disconnecting
    await asyncio.wait_for(cleaned_up.wait(), PATIENCE)
