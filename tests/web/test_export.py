"""The export of a workspace: all its images with their recipes."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from editor.access.actor import Actor
from editor.media import store
from editor.models import AuditEntry, Image, JobImage
from editor.operations import trash
from editor.queries import export
from editor.representations.export import recipe
from tests.factories import make_actor, make_image
from tests.web.rows import add_completed


async def fetch(actor: Actor) -> tuple[Any, bytes]:
    client = AsyncClient()
    await client.aforce_login(actor.user)
    response: Any = await client.post(reverse("workspace_export", args=[actor.workspace.slug]))
    return response, b"".join([part async for part in response])


def with_versions(count: int) -> tuple[Actor, Image]:
    """A source with results, all with files."""
    actor = make_actor(name="Acme")
    source = make_image(actor)
    for number in range(count):
        result = add_completed(actor.workspace, source, version=number + 2, user=actor.user)
        assert result.job
        JobImage.objects.create(job=result.job, image=source, role=JobImage.Role.SOURCE, position=0)
        result.storage_name = f"w/{actor.workspace.pk}/{result.pk}.png"
        result.save(update_fields=["storage_name"])
        store.save(result.storage_name, str(result.pk).encode(), "image/png")
    return actor, source


@pytest.mark.usefixtures("committed")
async def test_the_archive_has_each_image_and_its_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "PAGE", 2)
    actor, source = await sync_to_async(with_versions)(4)
    discarded = await sync_to_async(make_image)(actor)
    await sync_to_async(trash.discard)(actor=actor, images=[discarded])
    await sync_to_async(with_versions)(1)  # of another workspace
    response, content = await fetch(actor)
    assert response.status_code == 200
    assert response["Content-Disposition"] == 'attachment; filename="acme-export.zip"'
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        lines = archive.read("recipes.jsonl").decode().splitlines()
        recipes = [json.loads(line) for line in lines]
        assert sorted(archive.namelist()) == sorted(["recipes.jsonl", *(one["file"] for one in recipes)])
        assert archive.read(recipes[0]["file"]) == await sync_to_async(store.read)(source.storage_name)
        for one in recipes[1:]:
            assert archive.read(one["file"]) == one["id"].encode()
    first, second = recipes[:2]
    assert (first["id"], first["edit"], first["name"]) == (str(source.pk), None, "photo.png")
    assert second["edit"]["prompt"] == "make it warmer"
    assert (second["parent"], second["version"]) == (str(source.pk), 2)
    assert second["edit"]["images"] == [str(source.pk)]
    assert second["created_by"]["email"] == actor.user.email
    assert [one["version"] for one in recipes] == [1, 2, 3, 4, 5]
    entry = await AuditEntry.objects.aget(action="workspace.exported")
    assert entry.actor_id == actor.user.pk


@pytest.mark.usefixtures("committed")
async def test_an_empty_workspace_has_an_empty_export() -> None:
    actor = await sync_to_async(make_actor)()
    _, content = await fetch(actor)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == ["recipes.jsonl"]
        assert archive.read("recipes.jsonl") == b""


@pytest.mark.django_db
def test_a_page_takes_as_many_queries_for_one_image_as_for_thirty() -> None:
    def count(versions: int) -> int:
        actor, _ = with_versions(versions)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            found = export.page(actor.workspace.pk, None)
            assert len([recipe(image) for image in found]) == versions + 1
        return len(queries)

    assert count(1) == count(30)
