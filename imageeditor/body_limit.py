"""The outermost layer: no request body is read further than it may be long.

Django would spool a body of any size to disk before a view could say no.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from typing import Any

from editor import disk
from editor.errors import DiskFull

log = logging.getLogger("editor.storage")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[..., Awaitable[None]]

MIB = 1024 * 1024
FILES = re.compile(r"^/w/[^/]+/(upload|run)/$")  # an image, or a mask, of 25 MiB with the form around it
FILES_LIMIT = 26 * MIB
LIMIT = 2 * MIB
# In the shape of the pages' own errors, which app.js shows beside the prompt.
WORDS = "That is too large: images may have up to 25 MB. Nothing was charged."


class TooLarge(Exception):
    pass


class BodyLimit:
    """Answers 413 to bodies that say, or turn out, to be too long, and 503 to those the disk is full for."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        limit = FILES_LIMIT if FILES.match(scope["path"]) else LIMIT
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > limit:
            await _refuse(send, 413, WORDS)
            return
        received, started = 0, False

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > limit:
                raise TooLarge
            return message

        async def noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except TooLarge:
            if not started:
                await _refuse(send, 413, WORDS)
        except Exception as error:
            # Long bodies go to the disk before a view sees them.
            if started or not disk.is_cause(error):
                raise
            log.warning("%s: its body found no space on the disk", scope["path"])
            await _refuse(send, DiskFull.status, DiskFull().message)


async def _refuse(send: Send, status: int, words: str) -> None:
    answer = f'<p class="problem"><span>{escape(words)}</span></p>'.encode()
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-length", str(len(answer)).encode()),
        (b"connection", b"close"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-security-policy", b"default-src 'none'"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": answer})
