"""Download of several images as one zip file."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_GET

from editor.access import lookups
from editor.access.permissions import Permission
from editor.errors import InvalidInput
from editor.media.file_names import EXTENSIONS, stem
from editor.models import Image
from editor.operations import exports
from editor.queries import gallery
from editor.web.archive import Entry, zip_response
from editor.web.decorators import MemberRequest, member


@require_GET
@member(Permission.VIEW)
def download(request: MemberRequest) -> HttpResponseBase:
    """The chosen images as a zip file, streamed as they are read. Raises LimitExceeded."""
    ids = list(dict.fromkeys(request.GET.getlist("images")))
    if not ids:
        raise InvalidInput("Select the images to download first.")
    images = lookups.images(request.actor, ids, at_most=lookups.MAXIMUM_SELECTED)
    names = file_names(images, gallery.titles(images))
    response = zip_response(
        _each(Entry(name, image.storage_name) for name, image in zip(names, images, strict=True)),
        name=f"{request.actor.workspace.slug}-images.zip",
        workspace_id=request.actor.workspace.pk,
        user_id=request.actor.user.pk,
    )
    exports.images_zip(actor=request.actor, count=len(images))  # once it is not refused
    return response


async def _each(entries: Iterable[Entry]) -> AsyncIterator[Entry]:
    for entry in entries:
        yield entry


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
