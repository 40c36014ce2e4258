"""OpenAI's headers on all responses, including those of the gateway middleware."""

from __future__ import annotations

import secrets
import time

from editor.access.rate_limits import WINDOW
from editor.gateway.asgi import App, Message, Receive, Scope, Send

VERSION = b"2020-10-01"  # the only one that OpenAI has


class WithHeaders:
    """ASGI: adds a request id, the processing time and OpenAI's rate limit headers."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.monotonic()
        request_id = f"req_{secrets.token_hex(16)}"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                milliseconds = round((time.monotonic() - began) * 1000)
                added = [
                    (b"x-request-id", request_id.encode()),
                    (b"openai-processing-ms", str(milliseconds).encode()),
                    (b"openai-version", VERSION),
                    *_limits(dict(message["headers"])),
                ]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await self.app(scope, receive, named)


def _limits(headers: dict[bytes, bytes]) -> list[tuple[bytes, bytes]]:
    """OpenAI's reset is a duration, the gateway middleware's a time."""
    if b"x-ratelimit-reset" not in headers:
        return []
    seconds = int(headers[b"x-ratelimit-reset"]) - int(time.time())
    return [
        (b"x-ratelimit-limit-requests", headers[b"x-ratelimit-limit"]),
        (b"x-ratelimit-remaining-requests", headers[b"x-ratelimit-remaining"]),
        (b"x-ratelimit-reset-requests", f"{min(max(0, seconds), WINDOW)}s".encode()),
    ]
