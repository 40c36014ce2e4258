"""Gateway middleware for callbacks: reads a body only if the URL has a valid token."""

from __future__ import annotations

import json
import re

from editor import retry_after
from editor.engine import requests
from editor.errors import EditorError
from editor.gateway.asgi import App, Receive, Scope, Send
from editor.gateway.body import Body, BodySlots, announced, pass_on, pass_on_without_body
from editor.gateway.profile import Headers

PATH = "/callbacks/"
LIMIT = 2 * 1024 * 1024
AT_ONCE, OF_ONE_JOB = 32, 2
_ADDRESS = re.compile(r"^/callbacks/([-\w]+)/([^/]+)/$")


class CallbackGateway:
    """ASGI: other requests are answered without reading their bodies."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._slots = BodySlots(most=AT_ONCE, each=OF_ONE_JOB)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope)
        if not announced(headers):
            await self.app(scope, receive, send)
            return
        address = _ADDRESS.match(scope["path"])
        job_id = address and requests.read_callback_token(provider=address[1], token=address[2])
        if job_id is None:
            await pass_on_without_body(self.app, scope, receive, send)
            return
        body = Body(receive, limit=LIMIT)
        try:
            body.check_length(headers)
            async with self._slots.slot(str(job_id), body):
                await pass_on(self.app, scope, body, send)
        except EditorError as error:
            await pass_on_without_body(_refusal(error), scope, receive, send)


def _refusal(error: EditorError) -> App:
    """An ASGI app that responds with the error."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        content = json.dumps({"error": error.message}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(content)).encode()),
            (b"cache-control", b"no-store"),
            *retry_after.raw_headers(error),
        ]
        await send({"type": "http.response.start", "status": error.status, "headers": headers})
        await send({"type": "http.response.body", "body": content})

    return answer
