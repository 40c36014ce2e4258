"""An API behind the gateway middleware."""

from __future__ import annotations

import json
from typing import Any

from editor.errors import EditorError, LimitExceeded, PermissionDenied
from editor.gateway.profile import Profile

LIMIT = 1000  # bytes


def envelope(status: int, error: EditorError) -> bytes:
    return json.dumps({"oops": error.message, "status": status}).encode()


PROFILE = Profile(
    name="test",
    body_limit=LIMIT,
    bare_key=lambda headers: headers.get("x-key"),
    envelope=envelope,
    is_open=lambda path: path == "/open",
    status=lambda error: 418 if error.message == "Teapot." else error.status,
    signed_subject=lambda scope, headers: scope["query_string"].decode().removeprefix("signed="),
)


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Responds with the caller and the length of the body, or fails as the path says."""
    match scope["path"]:
        case "/crash":
            raise RuntimeError("secret words")
        case "/teapot":
            raise EditorError("Teapot.")
        case "/soon":
            raise LimitExceeded("Nearly.", retry_after=0.2)
        case "/denied":
            raise PermissionDenied("Not for you.")
        case "/html":
            await send({"type": "http.response.start", "status": 404, "headers": [(b"allow", b"GET")]})
            await send({"type": "http.response.body", "body": b"<h1>Not Found</h1>"})
            return
    length, more = 0, True
    while more:
        message = await receive()
        length += len(message.get("body", b""))
        more = message.get("more_body", False)
    caller = scope.get("caller")
    payload = {
        "length": length,
        "channel": caller and caller.actor.channel,
        "by": caller and caller.actor.user.email,
    }
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]}
    )
    await send({"type": "http.response.body", "body": json.dumps(payload).encode()})
