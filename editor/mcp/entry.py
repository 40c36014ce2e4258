"""ASGI at /mcp, behind the gateway middleware: rejects non-MCP requests before the SDK is imported.

The SDK takes most of a second to import, and commands and pages do not need it: the first request to
/mcp imports it in a thread.
"""

from __future__ import annotations

import asyncio
import sys
from importlib import import_module
from io import BytesIO

from django.core.handlers.asgi import ASGIRequest

from editor.errors import NotFound, PermissionDenied
from editor.gateway.asgi import Message, Receive, Scope, Send
from editor.gateway.requests import origin
from editor.mcp.profile import PATH, REQUEST

_SERVER = "editor.mcp.server"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Handle one request. Raises EditorError for requests that do not reach the SDK."""
    if scope["path"].rstrip("/") != PATH:
        raise NotFound("There is nothing at this URL.")
    request = ASGIRequest(scope, BytesIO())
    base_url = origin(request)
    # Browsers send the origin of the requesting page; other clients send none.
    if request.headers.get("origin", base_url) != base_url:
        raise PermissionDenied("Requests from other websites are not allowed.")
    if scope["method"] != "POST":
        # GET would wait for server-initiated messages and DELETE end a session; neither exists here.
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"POST")]})
        await send({"type": "http.response.body", "body": b""})
        return
    body = await _body(receive)
    if body is None:
        return
    if _SERVER not in sys.modules:
        await asyncio.to_thread(import_module, _SERVER)
    from editor.mcp import server  # noqa: PLC0415 - see above

    scope[REQUEST] = {}
    await server.serve({**scope, "at": base_url}, _replayed(body, receive), send)


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None if the client has disconnected.

    Read here because the SDK would wrap the gateway middleware's errors in exception groups.
    """
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(body)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A receive callable that returns the body, then further messages."""
    waiting = [body]

    async def replay() -> Message:
        return (
            {"type": "http.request", "body": waiting.pop(), "more_body": False}
            if waiting
            else await receive()
        )

    return replay
