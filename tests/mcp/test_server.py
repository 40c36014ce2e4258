"""The tools in the SDK's hands."""

from __future__ import annotations

import asyncio

import anyio

from editor.mcp import server
from editor.mcp.tools.base import Answer


async def test_work_whose_caller_leaves_may_put_things_in_order() -> None:
    in_order = asyncio.Event()

    async def work() -> Answer:
        try:
            await asyncio.sleep(30)
        finally:
            await asyncio.sleep(0.05)
            in_order.set()
        return Answer({})

    with anyio.move_on_after(0.05) as scope:
        await server._apart(work())
    assert scope.cancelled_caught
    await asyncio.wait_for(in_order.wait(), 5)
