"""The tools in the SDK's hands."""

from __future__ import annotations

import asyncio

import anyio

from editor.mcp import server
from editor.mcp.tools.base import Answer
from tests.patience import PATIENCE


async def test_work_whose_caller_leaves_may_put_things_in_order() -> None:
    begun, in_order = asyncio.Event(), asyncio.Event()

    async def work() -> Answer:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.05)
            in_order.set()
        return Answer({})

    async def leave() -> None:
        await begun.wait()
        scope.cancel()

    with anyio.CancelScope() as scope:
        leaving = asyncio.create_task(leave())
        await server._apart(work())
    assert scope.cancelled_caught
    await leaving
    await asyncio.wait_for(in_order.wait(), PATIENCE)
