"""The portal's own end of an upload link: PUT /uploads/<token>, as a bucket takes files at presigned URLs.

Plain ASGI: Django would read the whole body before a view could refuse it. Here the link, the
headers and the row are looked at first, and no thread is held while the body comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any
from weakref import WeakKeyDictionary

from editor import db, disk
from editor.db import in_thread
from editor.errors import DiskFull, EditorError, InvalidInput, PermissionDenied
from editor.media.codec import MAX_BYTES
from editor.operations import uploads
from editor.operations.slots import Limit

log = logging.getLogger("editor.api")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

PATH = "/uploads/"
BODIES_AT_ONCE = 16  # in this process: each is held in memory
PLACE_SECONDS = 30.0  # to wait for one of them
BODY_SECONDS = 60.0  # for a body to come in

_places: WeakKeyDictionary[asyncio.AbstractEventLoop, Limit] = WeakKeyDictionary()


class Refused(EditorError):
    """What HTTP alone can be wrong with a request."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class SenderLeft(Exception):
    """Nobody is there to be answered."""


async def receive_upload(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
    """200 with the file's ETag, or an error in the public API's envelope, after which the connection ends.

    400 for no bytes, 403 for a wrong or expired link or another type, 405, 408, 409 for a link that
    has got its file, 413, 422 for a full quota, 503 while too many files are on their way in or the
    disk is full.
    """
    try:
        etag = await _take(scope, receive)
    except SenderLeft:
        return
    except EditorError as error:
        await _refuse(send, error.status, error.message)
    except Exception as error:
        log.exception("a file could not be received")
        if disk.is_cause(error):
            await _refuse(send, DiskFull.status, DiskFull().message)
        else:
            await _refuse(send, 500, "The file could not be stored. Send it again.")
    else:
        await _answer(send, 200, [(b"etag", f'"{etag}"'.encode())], b"")


async def _take(scope: MutableMapping[str, Any], receive: Receive) -> str:
    """Receive and keep the file; its ETag. Raises EditorError or SenderLeft."""
    if scope["method"] != "PUT":
        raise Refused(405, "Send the file with PUT.")
    permit = uploads.read_token(scope["path"].removeprefix(PATH))
    headers: dict[bytes, bytes] = dict(scope["headers"])
    if headers.get(b"content-type", b"").decode("latin-1").strip().lower() != permit.content_type:
        raise PermissionDenied(
            f"This upload link is for {permit.content_type}. Send the file with that Content-Type."
        )
    _check_length(int(headers.get(b"content-length", b"0")))
    workspace_id = str(await in_thread(uploads.expect, permit=permit))
    db.tenant.set(workspace_id)
    places = _places.setdefault(asyncio.get_running_loop(), Limit(BODIES_AT_ONCE))
    async with AsyncExitStack() as held:
        try:
            async with asyncio.timeout(PLACE_SECONDS):
                await held.enter_async_context(places.held(workspace_id, active=False))
        except TimeoutError:
            raise Refused(503, "Too many files are being sent. Try again in a moment.") from None
        try:
            async with asyncio.timeout(BODY_SECONDS):
                content = await _body(receive)
        except TimeoutError:
            raise Refused(408, f"The file did not arrive within {BODY_SECONDS:g} seconds.") from None
        return await in_thread(_keep, permit, content)


async def _body(receive: Receive) -> bytes:
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise SenderLeft
        body += message.get("body", b"")
        more = message.get("more_body", False)
        _check_length(len(body))
    if not body:
        raise InvalidInput("The file is empty.")
    return bytes(body)


def _check_length(length: int) -> None:
    if length > MAX_BYTES:
        raise Refused(413, f"The file is too large: at most {MAX_BYTES // 1024**2} MiB are allowed.")


def _keep(permit: uploads.Permit, content: bytes) -> str:
    uploads.receive(permit=permit, content=content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def _refuse(send: Send, status: int, words: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if status == 405:
        headers.append((b"allow", b"PUT"))
    if status == 503:
        headers.append((b"retry-after", b"5"))
    await _answer(send, status, headers, json.dumps({"success": False, "error": words}).encode())


async def _answer(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    headers = [
        *headers,
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
