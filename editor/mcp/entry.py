"""ASGI at /mcp, behind the gate: what is no MCP request is refused here, before the SDK is there.

The SDK takes most of a second to import. Commands and pages do without it: the first request to
/mcp imports it, in a thread.
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
from editor.mcp.profile import ASKED, PATH

_SERVER = "editor.mcp.server"


async def serve(scope: Scope, receive: Receive, send: Send) -> None:
    """One request. Raises EditorError for what the SDK is not asked about."""
    if scope["path"].rstrip("/") != PATH:
        raise NotFound("There is nothing at this URL.")
    request = ASGIRequest(scope, BytesIO())
    base_url = origin(request)
    # Browsers say which site a page is of that asks; programs say nothing.
    if request.headers.get("origin", base_url) != base_url:
        raise PermissionDenied("Requests from other websites are not allowed.")
    if scope["method"] != "POST":
        # GET would wait for messages out of turn and DELETE would end a session. There are neither.
        await send({"type": "http.response.start", "status": 405, "headers": [(b"allow", b"POST")]})
        await send({"type": "http.response.body", "body": b""})
        return
    body = await _body(receive)
    if body is None:
        return
    if _SERVER not in sys.modules:
        await asyncio.to_thread(import_module, _SERVER)
    from editor.mcp import server  # noqa: PLC0415 - see above

    scope[ASKED] = {}
    await server.serve({**scope, "at": base_url}, _replayed(body, receive), send)


async def _body(receive: Receive) -> bytes | None:
    """All of it, or None when nobody is left to be answered.

    It is read here since the SDK would hide the gate's errors in groups of errors.
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
    """Gives the body, then whatever comes after it."""
    waiting = [body]

    async def replay() -> Message:
        return (
            {"type": "http.request", "body": waiting.pop(), "more_body": False}
            if waiting
            else await receive()
        )

    return replay
