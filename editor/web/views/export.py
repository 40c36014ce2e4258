"""All images of a workspace with their recipes, as one zip file."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from uuid import UUID

from django.http.response import HttpResponseBase
from django.views.decorators.http import require_POST

from editor.access import lookups
from editor.access.permissions import Permission
from editor.concurrency.threads import in_thread
from editor.models import Image
from editor.operations import workspace_settings
from editor.queries import export
from editor.representations.export import file_name, recipe
from editor.web.archive import Entry, zip_response
from editor.web.decorators import MemberRequest, member

RECIPES = "recipes.jsonl"
Check = Callable[[], None]


@require_POST
@member(Permission.WORKSPACE_OWN)
def download(request: MemberRequest) -> HttpResponseBase:
    """RECIPES with a line of JSON for each image, then the images, oldest first, without the trash."""
    actor = request.actor
    key = request.session.session_key
    check = partial(lookups.check_again, actor, Permission.WORKSPACE_OWN, session_key=key)
    response = zip_response(
        _entries(actor.workspace.pk, check),
        name=f"{actor.workspace.slug}-export.zip",
        workspace_id=actor.workspace.pk,
        user_id=actor.user.pk,
    )
    workspace_settings.record_export(actor=actor)
    return response


async def _entries(workspace_id: UUID, check: Check) -> AsyncIterator[Entry]:
    yield Entry(RECIPES, text=_recipes(workspace_id, check))
    async for page in _pages(workspace_id, check):
        for image in page:
            yield Entry(file_name(image), stored=image.storage_name)


async def _recipes(workspace_id: UUID, check: Check) -> AsyncIterator[bytes]:
    async for page in _pages(workspace_id, check):
        lines = (json.dumps(recipe(image), ensure_ascii=False) for image in page)
        yield "".join(f"{line}\n" for line in lines).encode()


async def _pages(workspace_id: UUID, check: Check) -> AsyncIterator[list[Image]]:
    """All images; one page is in memory at a time.

    check  raises once the owner may no longer have them: whoever reads slowly has the file open for days
    """
    after = None
    await in_thread(check)
    while found := await in_thread(export.page, workspace_id, after):
        yield found
        await in_thread(check)
        after = found[-1]
