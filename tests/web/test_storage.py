"""Storage in the pages: how full it is, why something was refused, and how to free space."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.models import Image, Job, Role, Workspace
from tests.factories import limit_storage, make_member, make_workspace, photo
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_image

pytestmark = pytest.mark.django_db

MEGABYTE = 1024 * 1024
MORE_THAN_THERE_IS = 10**18
FULL_DISK = "The portal&#x27;s disk is full"
FULL_QUOTA = "storage is full: 1.0 MB of 1.0 MB are used"


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


@pytest.fixture
def full(workspace: Workspace) -> Image:
    """The only image of a workspace, which fills its storage."""
    limit_storage(workspace, to=MEGABYTE)
    image = add_image(workspace)
    Image.objects.update(size=MEGABYTE)
    return image


def upload(client: Client, workspace: Workspace, *, part: bool = False) -> Any:
    file = SimpleUploadedFile("a.png", photo(), "image/png")
    url = reverse("upload", args=[workspace.slug])
    return client.post(url, {"files": file}, headers=HTMX if part else {})


def run(client: Client, workspace: Workspace, *, part: bool = False, **fields: Any) -> Any:
    url = reverse("run", args=[workspace.slug])
    return client.post(url, {"prompt": "make it warmer", **fields}, headers=HTMX if part else {})


@pytest.mark.parametrize("name", ["trash", "credits"])
def test_pages_show_how_full_the_storage_is(
    client: Client, workspace: Workspace, full: Image, name: str
) -> None:
    page = body(client.get(reverse(name, args=[workspace.slug]))).replace("\xa0", " ")
    assert "1.0 MB" in page
    assert ("1.0 MB of 1.0 MB used" in page) == (name == "trash")


def test_a_plan_without_a_quota_shows_none(client: Client, workspace: Workspace) -> None:
    limit_storage(workspace, to=None)
    assert "of storage used" in body(client.get(reverse("trash", args=[workspace.slug])))
    assert "Storage of" not in body(client.get(reverse("credits", args=[workspace.slug])))


@pytest.mark.parametrize("part", [True, False], ids=["fragment", "page"])
def test_a_full_storage_is_reported_with_a_message(
    client: Client, workspace: Workspace, full: Image, part: bool
) -> None:
    for response in (upload(client, workspace, part=part), run(client, workspace, part=part)):
        assert response.status_code == 422
        message = body(response).partition("</main>")[0]
        assert FULL_QUOTA in message
        assert message.count("Nothing was charged") == 1
        assert "Empty the trash" in message
    assert Image.objects.count() == 1
    assert not Job.objects.exists()


@pytest.mark.parametrize("part", [True, False], ids=["fragment", "page"])
def test_a_full_disk_is_reported_with_a_message(
    client: Client, workspace: Workspace, settings: Settings, part: bool
) -> None:
    settings.STORAGE_RESERVE = MORE_THAN_THERE_IS
    mask = SimpleUploadedFile("mask.png", photo(), "image/png")
    for response in (upload(client, workspace, part=part), run(client, workspace, part=part, mask=mask)):
        assert response.status_code == 503
        assert FULL_DISK in body(response)
        assert body(response).partition("</main>")[0].count("Nothing was charged") == 1
        assert "unexpected error" not in body(response)
        assert response["Retry-After"] == "60"


def test_emptying_the_trash_frees_storage(client: Client, workspace: Workspace, full: Image) -> None:
    Image.objects.update(trashed_at=timezone.now())
    page = reverse("trash", args=[workspace.slug])
    assert "Empty the trash?" in body(client.get(page))
    response = client.post(reverse("trash_empty", args=[workspace.slug]))
    assert response["Location"] == page
    shown = body(client.get(page))
    assert "1 image deleted." in shown
    assert "The trash is empty" in shown
    assert "0 bytes of" in shown.replace("\xa0", " ")
    assert upload(client, workspace).status_code == 302


def test_a_viewer_cannot_empty_the_trash(workspace: Workspace) -> None:
    image = add_image(workspace, trashed_at=timezone.now())
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    assert "Empty the trash" not in body(viewer.get(reverse("trash", args=[workspace.slug])))
    assert viewer.post(reverse("trash_empty", args=[workspace.slug])).status_code == 403
    image.refresh_from_db()
    assert image.purged_at is None


def test_readyz_reports_whether_the_portal_can_serve(settings: Settings) -> None:
    settings.STORAGE_RESERVE = 0
    ready = Client().get("/readyz")
    assert (ready.status_code, json.loads(ready.content)) == (200, {"ready": True, "failing": {}})
    settings.STORAGE_RESERVE = MORE_THAN_THERE_IS
    low = Client().get("/readyz")
    assert (low.status_code, json.loads(low.content)["failing"].keys()) == (503, {"disk"})


def test_readyz_reports_missing_migrations(settings: Settings) -> None:
    settings.STORAGE_RESERVE = 0
    MigrationRecorder.Migration.objects.filter(app="editor", name="0016_storage").delete()
    reported = Client().get("/readyz")
    assert (reported.status_code, json.loads(reported.content)["failing"].keys()) == (503, {"migrations"})
