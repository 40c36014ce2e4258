"""The MCP server: `editor.mcp.tools` through the official SDK, which only this file imports.

It keeps no sessions. Both protocol modes work: the handshake of 2025 and before, and self-contained
requests (2026-07-28).
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Coroutine
from typing import Any

import mcp_types as types
from django.conf import settings
from mcp.server import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from sse_starlette.sse import AppStatus

from editor import disk
from editor.errors import EditorError
from editor.gateway.asgi import Receive, Scope, Send
from editor.mcp.profile import BODY_LIMIT, REQUEST, problem
from editor.mcp.tools.base import Answer, Call, Tool
from editor.mcp.tools.registry import TOOLS

log = logging.getLogger("editor.mcp")

INSTRUCTIONS = (
    "Creates and edits images by prompt. edit_image works with any model and waits for the result; "
    "list_models lists the models. Edits cost the workspace credits: estimate_credits returns how many. "
    "A result's image id can be the source of the next edit."
)

# Held calls end on their own when the portal is about to stop (see `waiting.let_go`). The SDK's
# library for event streams would abort them at the signal.
AppStatus.enable_automatic_graceful_drain = False


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle one request; its scope has the caller, and as "at" scheme and host of links.

    The SDK's manager keeps nothing between requests here, so each request gets its own: its tasks
    end with the request, on whatever event loop that runs.
    """
    manager = StreamableHTTPSessionManager(app=_server, stateless=True, max_request_body_size=BODY_LIMIT)
    async with manager.run():
        await manager.handle_request(scope, receive, send)


async def _list_tools(
    context: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
) -> types.ListToolsResult:
    return types.ListToolsResult(tools=[_described(tool) for tool in TOOLS.values()])


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema,
        output_schema=tool.output_schema,
        annotations=types.ToolAnnotations(
            title=tool.title,
            read_only_hint=tool.annotations.read_only,
            destructive_hint=tool.annotations.destructive,
            idempotent_hint=tool.annotations.idempotent,
            open_world_hint=tool.annotations.open_world,
        ),
    )


def _input_schema(name: str) -> dict[str, Any] | None:
    return TOOLS[name].input_schema if name in TOOLS else None


async def _call_tool(
    context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
) -> types.CallToolResult:
    tool = TOOLS.get(params.name)
    if tool is None:
        raise MCPError(code=types.INVALID_PARAMS, message="There is no such tool.")
    assert context.request is not None  # always set on this transport
    scope = context.request.scope
    scope[REQUEST]["id"] = context.request_id
    call = Call(caller=scope["caller"], base_url=scope["at"], report=context.session.report_progress)
    try:
        answer = await _apart(tool.answer(call, params.arguments or {}))
    except EditorError as error:
        return _failed(error)
    except Exception as error:
        log.exception("the tool %s failed", tool.name)
        otherwise = EditorError(
            "The portal failed to handle this call. Try again, or ask an operator for help."
        )
        return _failed(disk.error_for(error, otherwise=otherwise))
    return _rendered(answer)


async def _apart(work: Coroutine[Any, Any, Answer]) -> Answer:
    """Run the work in its own task, which is canceled only once when the caller disconnects.

    The SDK cancels again at each `await`, so the work could not clean up.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        raise


def _rendered(answer: Answer) -> types.CallToolResult:
    content: list[types.ContentBlock] = [types.TextContent(text=json.dumps(answer.data, ensure_ascii=False))]
    for picture in answer.pictures:
        if picture.preview:
            data = base64.b64encode(picture.preview).decode()
            content.append(types.ImageContent(data=data, mime_type="image/webp"))
        content.append(
            types.ResourceLink(
                name=picture.name, uri=picture.url, mime_type=picture.content_type, size=picture.size
            )
        )
    return types.CallToolResult(content=content, structured_content=answer.data)


def _failed(error: EditorError) -> types.CallToolResult:
    return types.CallToolResult(
        content=[types.TextContent(text=f"{error.message} ({error.code})")],
        structured_content=problem(error),
        is_error=True,
    )


_server: Server[Any] = Server(
    "image-editor",
    title=settings.SITE_NAME,
    version="1.0.0",
    instructions=INSTRUCTIONS,
    on_list_tools=_list_tools,
    on_call_tool=_call_tool,
    get_tool_input_schema=_input_schema,
)
