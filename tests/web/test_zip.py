"""Several images in one zip file, streamed as they are read."""

from __future__ import annotations

import gc
import io
import os
import uuid
import zipfile
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.test import AsyncClient, Client
from django.urls import reverse

from editor.concurrency import threads
from editor.media import store
from editor.models import Image, Workspace
from editor.web.archive import AT_ONCE, RETRY_SECONDS
from editor.web.downloads import PIECE
from tests.factories import make_actor, make_image, make_member, make_workspace
from tests.web.requests import body, signed_in
from tests.web.rows import add_image, add_result


def url_of(workspace: Workspace) -> str:
    return reverse("gallery_zip", args=[workspace.slug])


def make_results(prompts: list[str]) -> tuple[Workspace, list[Image]]:
    """Results with real files."""
    workspace = make_workspace()
    actor = make_actor(workspace)
    results = [add_result(workspace, prompt=prompt) for prompt in prompts]
    for result in results:
        Image.objects.filter(pk=result.pk).update(storage_name=f"{result.pk}.png")
        result.storage_name = f"{result.pk}.png"
        store.save(result.storage_name, store.read(make_image(actor).storage_name), "image/png")
    return workspace, results


def replace(image: Image, content: bytes) -> None:
    """Give the image another file."""
    store.delete(image.storage_name)
    default_storage.save(image.storage_name, ContentFile(content))


async def fetch(workspace: Workspace, images: list[Image]) -> tuple[Any, list[bytes]]:
    client = AsyncClient()
    await client.aforce_login(await workspace.members.aget())
    response: Any = await client.get(url_of(workspace), {"images": [str(image.pk) for image in images]})
    return response, [part async for part in response]


@pytest.mark.usefixtures("committed")
async def test_the_archive_contains_the_images_named_by_their_prompts() -> None:
    workspace, results = await sync_to_async(make_results)(
        ["Make it warmer!", "Make it warmer!", "日本語 <b>", "हिन्दी फोटो", "…"]
    )
    response, parts = await fetch(workspace, results)
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="acme-studio-images.zip"'
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert archive.testzip() is None
    assert archive.namelist() == [
        "make-it-warmer-v1.png",
        "make-it-warmer-v1-2.png",
        "日本語-b-v1.png",
        "हिन्दी-फोटो-v1.png",
        "image-v1.png",
    ]
    for name, result in zip(archive.namelist(), results, strict=True):
        assert archive.read(name) == store.read(result.storage_name)


@pytest.mark.usefixtures("committed")
async def test_a_large_image_is_never_whole_in_memory() -> None:
    workspace, results = await sync_to_async(make_results)(["one"])
    content = os.urandom(3 * PIECE + 1)
    await sync_to_async(replace)(results[0], content)
    _, parts = await fetch(workspace, results)
    assert max(map(len, parts)) < 2 * PIECE
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert archive.testzip() is None
    assert archive.read("one-v1.png") == content


@pytest.mark.usefixtures("committed")
async def test_concurrent_downloads_of_one_user_are_limited() -> None:
    workspace, results = await sync_to_async(make_results)(["one"])
    await sync_to_async(replace)(results[0], os.urandom(2 * PIECE))
    client, other = AsyncClient(), AsyncClient()
    await client.aforce_login(await workspace.members.aget())
    await other.aforce_login(await sync_to_async(make_member)(workspace))
    url, chosen = url_of(workspace), {"images": str(results[0].pk)}
    held: list[Any] = [await client.get(url, chosen) for _ in range(AT_ONCE)]
    refused = await client.get(url, chosen)
    assert (refused.status_code, refused["Retry-After"]) == (429, str(RETRY_SECONDS))
    assert "already" in body(refused)
    assert (await other.get(url, chosen)).status_code == 200
    begun = aiter(held[0])
    await anext(begun)
    assert (await client.get(url, chosen)).status_code == 429
    assert [part async for part in begun]
    del held[0], begun  # it is done
    gc.collect()
    again: Any = await client.get(url, chosen)
    assert again.status_code == 200
    held.clear()  # and this one was never started
    del again
    gc.collect()
    assert (await client.get(url, chosen)).status_code == 200


@pytest.mark.usefixtures("committed")
async def test_no_database_connection_is_held_while_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    workspace, results = await sync_to_async(make_results)(["one", "two"])
    released = []
    monkeypatch.setattr(threads, "release", lambda: released.append(connection.connection))
    client = AsyncClient()
    await client.aforce_login(await workspace.members.aget())
    response: Any = await client.get(url_of(workspace), {"images": [str(image.pk) for image in results]})
    assert len(released) == 1, "before the first byte"
    assert [part async for part in response]


@pytest.mark.usefixtures("committed")
async def test_an_image_whose_file_is_gone_does_not_spoil_the_others() -> None:
    workspace, results = await sync_to_async(make_results)(["one", "two"])
    store.delete(results[0].storage_name)
    _, parts = await fetch(workspace, results)
    assert zipfile.ZipFile(io.BytesIO(b"".join(parts))).namelist() == ["two-v1.png"]


@pytest.mark.usefixtures("committed")
async def test_a_truncated_file_aborts_the_download(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Otherwise half of an image would look complete."""
    workspace, results = await sync_to_async(make_results)(["one"])
    size = store.size(results[0].storage_name)
    monkeypatch.setattr(store, "size", lambda name: size + 1)
    with pytest.raises(OSError, match="shorter"):
        await fetch(workspace, results)


@pytest.mark.django_db
@pytest.mark.parametrize("chosen", ["none", "too many", "another's", "a mask"])
def test_an_invalid_selection_is_refused(chosen: str) -> None:
    workspace = make_workspace()
    ids = {
        "none": [],
        "too many": [uuid.uuid4() for _ in range(101)],
        "another's": [add_result(make_workspace(name="Rivals")).pk],
        "a mask": [add_image(workspace, kind=Image.Kind.MASK).pk],
    }[chosen]
    client: Client = signed_in(workspace.members.get())
    response = client.get(url_of(workspace), {"images": [str(id) for id in ids]})
    assert response.status_code == (400 if chosen in ("none", "too many") else 404)
    assert "<html" in body(response)
