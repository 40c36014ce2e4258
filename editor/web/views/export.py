"""All images of a workspace with their recipes, as one zip file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from editor.access.permissions import Permission
from editor.concurrency.threads import in_thread
from editor.models import Image
from editor.operations import workspace_settings
from editor.queries import export
from editor.representations.export import file_name, recipe
from editor.web.archive import Entry, zip_response
from editor.web.decorators import MemberRequest, member

RECIPES = "recipes.jsonl"


@require_POST
@member(Permission.WORKSPACE_OWN)
def download(request: MemberRequest) -> HttpResponseBase:
    """RECIPES with a line of JSON for each image, then the images, oldest first, without the trash."""
    actor = request.actor
    response = zip_response(
        _entries(actor.workspace.pk),
        name=f"{actor.workspace.slug}-export.zip",
        workspace_id=actor.workspace.pk,
        user_id=actor.user.pk,
    )
    workspace_settings.record_export(actor=actor)
    return response


async def _entries(workspace_id: UUID) -> AsyncIterator[Entry]:
    yield Entry(RECIPES, text=_recipes(workspace_id))
    async for page in _pages(workspace_id):
        for image in page:
            yield Entry(file_name(image), stored=image.storage_name)


async def _recipes(workspace_id: UUID) -> AsyncIterator[bytes]:
    async for page in _pages(workspace_id):
        lines = (json.dumps(recipe(image), ensure_ascii=False) for image in page)
        yield "".join(f"{line}\n" for line in lines).encode()


async def _pages(workspace_id: UUID) -> AsyncIterator[list[Image]]:
    """All images; one page is in memory at a time."""
    after = None
    while found := await in_thread(export.page, workspace_id, after):
        yield found
        after = found[-1]
