"""Download of several images as one zip file."""

from __future__ import annotations

import logging
import time
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from editor.access import lookups
from editor.access.permissions import Permission
from editor.concurrency import threads
from editor.errors import InvalidInput, NotFound
from editor.gateway import streams
from editor.media import store
from editor.media.file_names import EXTENSIONS, stem
from editor.models import Image
from editor.operations import exports
from editor.queries import gallery
from editor.web.decorators import MemberRequest, member
from editor.web.downloads import Pieces

log = logging.getLogger("editor.files")


@require_GET
@member(Permission.VIEW)
def download(request: MemberRequest) -> HttpResponseBase:
    """The chosen images as a zip file, streamed as they are read. Raises LimitExceeded."""
    ids = list(dict.fromkeys(request.GET.getlist("images")))
    if not ids:
        raise InvalidInput("Select the images to download first.")
    images = lookups.images(request.actor, ids, at_most=lookups.MAXIMUM_SELECTED)
    names = file_names(images, gallery.titles(images))
    files = [(name, image.storage_name) for name, image in zip(names, images, strict=True)]
    archive = _Archive(request.actor.workspace.pk, request.actor.user.pk, files)
    streams.begin(archive)
    exports.images_zip(actor=request.actor, count=len(images))
    return StreamingHttpResponse(
        archive,
        content_type="application/zip",
        headers={"Content-Disposition": f'attachment; filename="{request.actor.workspace.slug}-images.zip"'},
    )


def file_names(images: Sequence[Image], titles: dict[UUID, str]) -> list[str]:
    """Names in the archive: as each is downloaded alone, with a number if that is not unique."""
    seen: Counter[str] = Counter()
    names = []
    for image in images:
        name = stem(titles[image.pk], image.label)
        seen[name] += 1
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        names.append(f"{name}{number}{EXTENSIONS[image.content_type]}")
    return names


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
    """A zip file of stored files: (name in the archive, name in the store). One piece is in memory at a time.

    Images are already compressed, so they are stored. It counts as under way for as long as it is
    referenced, whether or not it was ever started.
    """

    def __init__(self, workspace_id: UUID, user_id: UUID, files: list[tuple[str, str]]) -> None:
        self.user_id = user_id
        self._workspace_id = workspace_id
        self._files = files

    async def __aiter__(self) -> AsyncIterator[bytes]:
        outbox = _Outbox()
        with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
            for name, stored in self._files:
                entry = zipfile.ZipInfo(name, date_time=time.localtime()[:6])
                try:
                    entry.file_size = await threads.in_storage_thread(store.size, stored)
                    reader = await threads.in_storage_thread(store.open_at, stored, 0)
                except NotFound:
                    log.warning("%s is gone and was left out of a zip file", stored)
                    continue
                with closing(reader), archive.open(entry, "w") as target:
                    async for piece in Pieces(reader, entry.file_size, self._workspace_id):
                        target.write(piece)
                        yield outbox.take()
        yield outbox.take()
