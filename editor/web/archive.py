"""Zip files that are created while they are downloaded."""

from __future__ import annotations

import logging
import time
import zipfile
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from uuid import UUID

from django.http import StreamingHttpResponse

from editor.concurrency import threads
from editor.errors import NotFound
from editor.gateway import streams
from editor.media import store
from editor.web.downloads import Pieces

log = logging.getLogger("editor.files")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive: a stored one by its name in the store, or text."""

    name: str
    stored: str = ""
    text: AsyncIterable[bytes] | None = None


def zip_response(
    entries: AsyncIterable[Entry], *, name: str, workspace_id: UUID, user_id: UUID
) -> StreamingHttpResponse:
    """The entries as a zip file called `name`. Raises LimitExceeded if the user has too many downloads."""
    archive = _Archive(workspace_id, user_id, entries)
    streams.begin(archive)
    return StreamingHttpResponse(
        archive,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


class _Outbox:
    """A write-only file; `take` returns what was written since the last call."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Required of a file; nothing is buffered."""

    def close(self) -> None:
        """Required of a file; there is nothing to close."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


class _Archive:
    """A zip file of the entries. One piece is in memory at a time.

    Images are already compressed, so they are stored; text is deflated. It counts as under way for as
    long as it is referenced, whether or not it was ever started.
    """

    def __init__(self, workspace_id: UUID, user_id: UUID, entries: AsyncIterable[Entry]) -> None:
        self.user_id = user_id
        self._workspace_id = workspace_id
        self._entries = entries

    async def __aiter__(self) -> AsyncIterator[bytes]:
        outbox = _Outbox()
        with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
            async for entry in self._entries:
                add = self._text(archive, entry) if entry.text else self._file(archive, entry)
                async for _ in add:
                    yield outbox.take()
        yield outbox.take()

    async def _text(self, archive: zipfile.ZipFile, entry: Entry) -> AsyncIterator[None]:
        assert entry.text is not None
        info = _info(entry.name)
        info.compress_type = zipfile.ZIP_DEFLATED
        # Its size is not known before it is written, and may be beyond the limits of the older format.
        with archive.open(info, "w", force_zip64=True) as target:
            async for piece in entry.text:
                target.write(piece)
                yield

    async def _file(self, archive: zipfile.ZipFile, entry: Entry) -> AsyncIterator[None]:
        info = _info(entry.name)
        try:
            info.file_size = await threads.in_storage_thread(store.size, entry.stored)
            reader = await threads.in_storage_thread(store.open_at, entry.stored, 0)
        except NotFound:
            log.warning("%s is gone and was left out of a zip file", entry.stored)
            return
        with closing(reader), archive.open(info, "w") as target:
            async for piece in Pieces(reader, info.file_size, self._workspace_id):
                target.write(piece)
                yield


def _info(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=time.localtime()[:6])
