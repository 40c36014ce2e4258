"""Many images in one file."""

from __future__ import annotations

import logging
import zipfile
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import PurePath
from uuid import UUID

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.text import slugify
from django.views.decorators.http import require_GET

from editor import db
from editor.access import lookups
from editor.errors import InvalidInput, NotFound
from editor.media import store
from editor.models import Image
from editor.queries import gallery
from editor.web.decorators import MemberRequest, member

log = logging.getLogger("editor.files")

LONGEST_NAME = 60  # characters of a prompt


@require_GET
@member
def download(request: MemberRequest) -> HttpResponseBase:
    """The chosen images as a zip file, one after the other as they are read."""
    ids = list(dict.fromkeys(request.GET.getlist("images")))
    if not ids:
        raise InvalidInput("Select the images to download first.")
    images = lookups.images(request.actor, ids, at_most=lookups.MAXIMUM_SELECTED)
    names = file_names(images, gallery.prompts(images))
    # The download may take minutes, and asks the database nothing more.
    db.release()
    return StreamingHttpResponse(
        _archive([(name, image.storage_name) for name, image in zip(names, images, strict=True)]),
        content_type="application/zip",
        headers={
            "Content-Disposition": f'attachment; filename="{request.actor.workspace.slug}-images.zip"',
            "Cache-Control": "no-store",
        },
    )


def file_names(images: Sequence[Image], prompts: dict[UUID, str]) -> list[str]:
    """What each image is called in the archive: words, version, and a number where that is not enough."""
    seen: Counter[str] = Counter()
    names = []
    for image in images:
        words = prompts.get(image.pk) or PurePath(image.original_name).stem
        stem = slugify(words, allow_unicode=True)[:LONGEST_NAME].strip("-") or "image"
        name = f"{stem}-{image.label.lower()}"
        seen[name] += 1
        number = f"-{seen[name]}" if seen[name] > 1 else ""
        names.append(f"{name}{number}.{image.content_type.removeprefix('image/')}")
    return names


class _Outbox:
    """A file that is only written, from front to back; `take` hands over what was written since."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes, /) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Part of being a file; nothing waits anywhere."""

    def close(self) -> None:
        """Part of being a file; there is nothing to close."""

    def take(self) -> bytes:
        data = b"".join(self._parts)
        self._parts.clear()
        return data


async def _archive(files: list[tuple[str, str]]) -> AsyncIterator[bytes]:
    """A zip file of stored files: (name in the archive, name in the store). One is in memory at a time.

    Images are compressed already, so they are not compressed again.
    """
    outbox = _Outbox()
    with zipfile.ZipFile(outbox, "w", zipfile.ZIP_STORED) as archive:
        for name, stored in files:
            try:
                content = await db.in_thread(store.read, stored)
            except NotFound:
                log.warning("%s is gone and was left out of a zip file", stored)
                continue
            archive.writestr(name, content)
            yield outbox.take()
    yield outbox.take()
