"""Cross-origin requests (CORS): pages of other sites may call an API with a key or a signed link.

Source: the Fetch standard, "CORS protocol". Any origin is allowed, and none with credentials: cookies mean
nothing to these APIs, so a page can do no more than any other program with the same key.
"""

from __future__ import annotations

from dataclasses import dataclass

from editor.gateway.asgi import App, Message, Receive, Scope, Send

PREFLIGHT_SECONDS = 7200  # that a browser keeps the response; Chromium's maximum
_ANY_ORIGIN = (b"access-control-allow-origin", b"*")
_PREFLIGHT = (b"origin", b"access-control-request-method")


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """ASGI: responds to preflight requests, which carry no key, and marks all other responses as readable.

    methods   those of the API
    headers   request headers that pages may send
    exposed   response headers that pages may read
    """

    app: App
    methods: str
    headers: str
    exposed: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        names = {name for name, _ in scope["headers"]}
        if scope["method"] == "OPTIONS" and names.issuperset(_PREFLIGHT):
            await self._respond_to_preflight(send)
            return

        async def readable(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [_ANY_ORIGIN, (b"access-control-expose-headers", self.exposed.encode())]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, readable)

    async def _respond_to_preflight(self, send: Send) -> None:
        headers = [
            _ANY_ORIGIN,
            (b"access-control-allow-methods", self.methods.encode()),
            (b"access-control-allow-headers", self.headers.encode()),
            (b"access-control-max-age", str(PREFLIGHT_SECONDS).encode()),
        ]
        await send({"type": "http.response.start", "status": 204, "headers": headers})
        await send({"type": "http.response.body", "body": b""})
