"""The endpoint of upload links: PUT /uploads/<token>, as a bucket accepts files at presigned URLs.

Plain ASGI: Django would read the whole body before a view could reject it. Here the link, the
headers and the row are checked first, and no thread is held while the body arrives.
"""

from __future__ import annotations

import hashlib
import logging

from editor import disk, retry_after
from editor.api import envelope
from editor.concurrency import threads
from editor.concurrency.threads import in_storage_thread, in_thread
from editor.errors import EditorError, InvalidInput, PermissionDenied
from editor.gateway.asgi import Receive, Scope, Send
from editor.gateway.body import Body, BodySlots
from editor.gateway.profile import Headers
from editor.media.formats import usual_type
from editor.media.limits import MAX_BYTES
from editor.operations import uploads

log = logging.getLogger("editor.api")

PATH = "/uploads/"
FILES_AT_ONCE, FILES_OF_ONE_WORKSPACE = 16, 4  # in this process: each is held in memory

_slots = BodySlots(most=FILES_AT_ONCE, each=FILES_OF_ONE_WORKSPACE)


class MethodNotAllowed(EditorError):
    """An upload link accepts only PUT."""

    code = "method_not_allowed"
    status = 405


class SenderLeft(Exception):
    """The client disconnected."""


async def receive_upload(scope: Scope, receive: Receive, send: Send) -> None:
    """200 with the file's ETag, or an error in the public API's envelope, which closes the connection.

    400 for no bytes, 403 for a wrong or expired link or another type, 405, 408, 409 for a link that
    was already used, 413, 422 for a full quota, 503 while too many files are being received or the
    disk is full.
    """
    body = Body(receive, limit=MAX_BYTES)
    try:
        etag = await _take(scope, body)
    except SenderLeft:
        return
    except EditorError as error:
        await _refuse(send, error, body)
    except Exception as error:
        log.exception("a file could not be received")
        otherwise = EditorError("The file could not be stored. Send it again.")
        await _refuse(send, disk.error_for(error, otherwise=otherwise), body)
    else:
        await _answer(send, 200, [(b"etag", f'"{etag}"'.encode())], b"")


async def _take(scope: Scope, body: Body) -> str:
    """Receive and store the file; returns its ETag. Raises EditorError or SenderLeft."""
    if scope["method"] != "PUT":
        raise MethodNotAllowed("Send the file with PUT.")
    permit = uploads.read_token(scope["path"].removeprefix(PATH))
    headers = Headers(scope)
    if usual_type(headers.get("content-type").strip().lower()) != permit.content_type:
        raise PermissionDenied(
            f"This upload link is for {permit.content_type}. Send the file with that Content-Type."
        )
    body.check_length(headers)
    workspace_id = str(await in_thread(uploads.expect, permit=permit))
    threads.tenant.set(workspace_id)
    async with _slots.slot(workspace_id, body):
        return await in_storage_thread(_keep, permit, await _content(body))


async def _content(body: Body) -> bytes:
    content = bytearray()
    while not body.complete:
        message = await body.receive()
        if message["type"] == "http.disconnect":
            raise SenderLeft
        content += message.get("body", b"")
    if not content:
        raise InvalidInput("The file is empty.")
    return bytes(content)


def _keep(permit: uploads.Permit, content: bytes) -> str:
    uploads.receive(permit=permit, content=content)
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


async def _refuse(send: Send, error: EditorError, body: Body) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    if isinstance(error, MethodNotAllowed):
        headers.append((b"allow", b"PUT"))
    headers += retry_after.raw_headers(error)
    await _answer(send, error.status, headers, envelope.encoded(error.status, error), more=True)
    await body.discard()
    await send({"type": "http.response.body", "body": b""})


async def _answer(
    send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes, *, more: bool = False
) -> None:
    headers = [
        *headers,
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": more})
