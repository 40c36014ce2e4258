"""Stored files as responses: whole, a range, or 304. Each holds one piece of its file in memory at a time."""

from __future__ import annotations

import hashlib
import re
from contextlib import closing
from typing import Self
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from editor.concurrency import threads
from editor.media import store

PIECE = 128 * 1024  # bytes of a file in memory for each of its readers
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def file_response(
    request: HttpRequest, name: str, *, workspace_id: UUID, headers: dict[str, str]
) -> HttpResponseBase:
    """The requested bytes of one stored file. Raises NotFound if it is gone.

    name     in the store, where a name's bytes never change
    headers  of the response with the whole file
    """
    # Hashed, so that it does not reveal the name.
    etag = f'"{hashlib.sha256(name.encode()).hexdigest()[:32]}"'
    headers = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    whole = HttpResponse(headers=headers)
    conditional = get_conditional_response(request, etag=etag, response=whole)
    if conditional is not None and conditional is not whole:
        return conditional  # 304 or 412
    size = store.size(name)
    if request.method == "HEAD":
        whole["Content-Length"] = str(size)
        return whole
    status, start, end = 200, 0, size
    requested = _requested_range(request, etag, size)
    if requested is not None:
        start, end = requested
        if start >= end:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
        status = 206
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    reader = store.open_at(name, start)
    if end - start > PIECE:
        pieces = Pieces(reader, end - start, workspace_id)
        return StreamingHttpResponse(pieces, status=status, headers=headers)
    with closing(reader):
        return HttpResponse(reader.read(end - start), status=status, headers=headers)


class Pieces:
    """A file's next `length` bytes; a thread is held only while it reads a piece."""

    def __init__(self, reader: store.Reader, length: int, workspace_id: UUID) -> None:
        self.close = reader.close  # called by Django when the response ends, however it ends
        self._reader = reader
        self._left = length
        self._tenant = str(workspace_id)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._left == 0:
            raise StopAsyncIteration
        threads.tenant.set(self._tenant)
        piece = await threads.in_storage_thread(self._reader.read, min(PIECE, self._left))
        if not piece:
            raise OSError("a stored file is shorter than it was")
        self._left -= len(piece)
        return piece


def _requested_range(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """(start, end), end excluded; None for the whole file. An empty range cannot be satisfied."""
    match = _RANGE.fullmatch(request.headers.get("Range", ""))
    if match is None or request.headers.get("If-Range", etag) != etag:
        return None  # also for several ranges: a server may respond with the whole file
    first, last = match.groups()
    if first:
        end = min(int(last) + 1, size) if last else size
        return (int(first), end) if not last or int(first) <= int(last) else None
    return (max(0, size - int(last)), size) if last else None
