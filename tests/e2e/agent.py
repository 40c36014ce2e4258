"""The official MCP client, connected to a portal."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

import httpx2
from mcp import Client
from mcp.client import session as client_session
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from tests.patience import PATIENCE

T = TypeVar("T")
Mode = Literal["auto", "legacy"]
MODES: list[Mode] = ["auto", "legacy"]
# The protocol version that each mode negotiates with this portal.
VERSIONS: dict[Mode, str] = {"auto": "2026-07-28", "legacy": "2025-11-25"}

# After this timeout, the client assumes that the server speaks the older protocol; the machine may be busy.
client_session.DISCOVER_TIMEOUT_SECONDS = PATIENCE


def run(url: str, key: str, work: Callable[[Client], Awaitable[T]], *, mode: Mode = "auto") -> T:
    """The result of `work` with a client that is connected to the portal at `url`.

    Runs in a separate thread: this one may have the event loop of a browser.
    """

    async def session() -> T:
        headers = {"authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE) as http,
            Client(streamable_http_client(f"{url}/mcp", http_client=http), mode=mode) as client,
        ):
            assert client.protocol_version == VERSIONS[mode]
            return await work(client)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, session()).result()


def call(url: str, key: str, tool: str, *, mode: Mode = "auto", **arguments: Any) -> CallToolResult:
    return run(url, key, lambda client: client.call_tool(tool, arguments), mode=mode)


def data(result: CallToolResult) -> Any:
    assert not result.is_error, result.content
    return result.structured_content


def refusal(result: CallToolResult) -> Any:
    """The structured error of a result, which its text contains too."""
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    assert result.structured_content["error"] in text.text
    assert result.structured_content["code"] in text.text
    return result.structured_content
