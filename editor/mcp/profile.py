"""The MCP gateway profile: a Bearer key and JSON-RPC errors."""

from __future__ import annotations

import json

from editor import retry_after
from editor.errors import EditorError
from editor.gateway.asgi import Scope
from editor.gateway.profile import Profile, bearer

PATH = "/mcp"
# Bytes: an image of 3 MB as base64. The SDK holds a call's body as long as the call lasts, so larger
# images are passed by URL or id.
BODY_LIMIT = 4 * 1024 * 1024

# Key of a request's scope for a dict with the "id" of its call, once that is known.
REQUEST = "mcp_request"

# JSON-RPC 2.0 error codes.
INVALID_REQUEST = -32600
INTERNAL_ERROR = -32603


def problem(error: EditorError) -> dict[str, object]:
    """An error as data: message, code, further members and, if any, the problem of each field."""
    data: dict[str, object] = {"error": error.message, "code": error.code}
    if error.fields:
        data["fields"] = error.fields
    data |= error.more
    if (seconds := retry_after.seconds(error)) is not None:
        data["retry_after"] = seconds
    return data


def _envelope(status: int, error: EditorError) -> bytes:
    """For a request that was rejected before its JSON was parsed, so its id is unknown."""
    return _rendered(None, status, error)


def _last_event(scope: Scope, error: EditorError) -> bytes:
    return b"event: message\ndata: %s\n\n" % _rendered(scope[REQUEST].get("id"), error.status, error)


def _rendered(request_id: object, status: int, error: EditorError) -> bytes:
    rendered = {
        "code": INVALID_REQUEST if status < 500 else INTERNAL_ERROR,
        "message": error.message,
        "data": problem(error),
    }
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": rendered}).encode()


PROFILE = Profile(
    name="mcp", body_limit=BODY_LIMIT, bare_key=bearer, envelope=_envelope, last_event=_last_event
)
