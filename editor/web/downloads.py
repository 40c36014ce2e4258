"""Stored files as answers: whole, in part, or not once more. Each holds a piece of its file at a time."""

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

PIECE = 128 * 1024  # bytes; as much of a file is in memory for each of its readers
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def file_response(
    request: HttpRequest, name: str, *, workspace_id: UUID, headers: dict[str, str]
) -> HttpResponseBase:
    """The bytes of one stored file, as far as the request wants them. Raises NotFound when it is gone.

    name     in the store, where it stands for the same bytes for ever
    headers  those of the whole file
    """
    # Hashed, for the names themselves are nobody's business.
    etag = f'"{hashlib.sha256(name.encode()).hexdigest()[:32]}"'
    headers = {**headers, "ETag": etag, "Accept-Ranges": "bytes"}
    whole = HttpResponse(headers=headers)
    answer = get_conditional_response(request, etag=etag, response=whole)
    if answer is not None and answer is not whole:
        return answer  # 304, or 412
    size = store.size(name)
    if request.method == "HEAD":
        whole["Content-Length"] = str(size)
        return whole
    status, start, end = 200, 0, size
    wanted = _wanted(request, etag, size)
    if wanted is not None:
        start, end = wanted
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
    """A file's next `length` bytes, each piece read in a thread that is held no longer than that."""

    def __init__(self, reader: store.Reader, length: int, workspace_id: UUID) -> None:
        self.close = reader.close  # called by Django at the end of the answer, however it ends
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


def _wanted(request: HttpRequest, etag: str, size: int) -> tuple[int, int] | None:
    """From which byte to before which one; None for the whole file. Empty: there are no such bytes."""
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if asked is None or request.headers.get("If-Range", etag) != etag:
        return None  # several ranges too: a server may answer with everything
    first, last = asked.groups()
    if first:
        end = min(int(last) + 1, size) if last else size
        return (int(first), end) if not last or int(first) <= int(last) else None
    return (max(0, size - int(last)), size) if last else None
