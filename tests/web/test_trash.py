"""Moving images to the trash, restoring and deleting them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.models import Character, CharacterImage, Image, Role, Workspace
from editor.models.workspaces import DEFAULT_TRASH_DAYS
from editor.queries.gallery import PAGE
from tests.factories import make_actor, make_image, make_member, make_workspace
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_image, add_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def post(
    client: Client, name: str, workspace: Workspace, *images: Image, part: bool = False, **fields: str
) -> Any:
    data = {"images": [str(image.pk) for image in images], **fields}
    return client.post(reverse(name, args=[workspace.slug]), data, headers=HTMX if part else {})


def trashed(workspace: Workspace, **ago: int) -> Image:
    return add_image(workspace, trashed_at=timezone.now() - timedelta(**ago), original_name="cat.jpg")


def listed(client: Client, workspace: Workspace, name: str) -> str:
    return body(client.get(reverse(name, args=[workspace.slug])))


def test_a_trashed_image_leaves_the_gallery_until_it_is_restored(
    client: Client, workspace: Workspace
) -> None:
    image = add_result(workspace, prompt="make it warmer")
    response = post(client, "gallery_trash", workspace, image)
    assert response["Location"] == reverse("gallery", args=[workspace.slug])
    gallery = listed(client, workspace, "gallery")
    assert "make it warmer" not in gallery
    assert "Moved to the trash." in gallery
    assert "make it warmer" in listed(client, workspace, "trash")
    post(client, "gallery_restore", workspace, image)
    assert "The trash is empty" in listed(client, workspace, "trash")
    assert "make it warmer" in listed(client, workspace, "gallery")


def test_over_htmx_the_tiles_are_removed_and_the_dialogs_close(client: Client, workspace: Workspace) -> None:
    images = [add_result(workspace) for _ in range(2)]
    response = post(client, "gallery_trash", workspace, *images, part=True)
    assert response["HX-Trigger"] == "trashed"
    for image in images:
        assert re.search(rf'hx-target="#tile-{image.pk}"\s+hx-swap="delete"', body(response))
    assert "2 images moved" in body(response)


def test_a_separate_page_redirects_to_its_next(client: Client, workspace: Workspace) -> None:
    next_page = reverse("gallery", args=[workspace.slug]) + "?q=warm"
    over_htmx = post(client, "gallery_trash", workspace, add_result(workspace), part=True, next=next_page)
    assert (over_htmx.status_code, over_htmx["HX-Redirect"]) == (204, next_page)
    plain = post(client, "gallery_trash", workspace, add_result(workspace), next=next_page)
    assert plain["Location"] == next_page


@pytest.mark.parametrize("name", ["gallery_trash", "gallery_restore"])
def test_redirects_stay_within_the_portal(client: Client, workspace: Workspace, name: str) -> None:
    image = add_image(workspace) if name == "gallery_trash" else trashed(workspace)
    response = post(client, name, workspace, image, next="https://evil.test/")
    assert response["Location"].startswith(f"/w/{workspace.slug}/")


@pytest.mark.parametrize(
    ("ago", "left"),
    [
        ({"seconds": 5}, f"{DEFAULT_TRASH_DAYS} days left"),
        ({"days": DEFAULT_TRASH_DAYS - 2, "hours": 1}, "2 days left"),
        ({"days": DEFAULT_TRASH_DAYS - 1, "hours": 1}, "1 day left"),
        ({"days": DEFAULT_TRASH_DAYS + 1}, "1 day left"),
    ],
)
def test_the_trash_shows_how_long_images_are_kept(
    client: Client, workspace: Workspace, ago: dict[str, int], left: str
) -> None:
    trashed(workspace, **ago)
    assert left in listed(client, workspace, "trash")


def test_the_trash_pages_back(client: Client, workspace: Workspace) -> None:
    images = [trashed(workspace, minutes=number) for number in range(PAGE + 2)]
    page = listed(client, workspace, "trash")
    found = re.search(r'href="([^"]+older=[^"]+)"', page)
    assert found
    rest = body(client.get(found[1]))
    for image in images:
        assert (str(image.pk) in page) != (str(image.pk) in rest)


def use(image: Image, *names: str) -> None:
    """Use the image in characters of these names."""
    for name in names:
        character, _ = Character.objects.get_or_create(workspace=image.workspace, name=name)
        CharacterImage.objects.create(character=character, image=image, position=1)


def test_trashing_the_image_of_a_character_reports_that_it_is_still_used(
    client: Client, workspace: Workspace
) -> None:
    ada, both, plain = (add_result(workspace) for _ in range(3))
    use(ada, "Ada")
    use(both, "Bo", "Cleo")
    alone = post(client, "gallery_trash", workspace, ada, part=True)
    assert "Moved to the trash. The character Ada still uses it." in body(alone)
    several = post(client, "gallery_trash", workspace, both, plain, part=True)
    assert "2 images moved to the trash. Characters still use 1 of them." in body(several)
    page = listed(client, workspace, "trash")
    assert "The character Ada still uses it. · " in page
    assert "2 characters still use it. · " in page
    assert page.count("days left") == 1
    assert "stay as long as it uses them" in page


def test_emptying_the_trash_keeps_the_images_of_characters_and_reports_it(
    client: Client, workspace: Workspace
) -> None:
    kept, gone = (make_image(make_actor(workspace)) for _ in range(2))
    use(kept, "Ada")
    for image in (kept, gone):
        post(client, "gallery_trash", workspace, image)
    assert "except those that a character uses" in listed(client, workspace, "trash")
    client.post(reverse("trash_empty", args=[workspace.slug]))
    page = listed(client, workspace, "trash")
    assert "1 image deleted. Kept for characters: 1." in page
    assert "The character Ada still uses it." in page
    Character.objects.all().delete()
    client.post(reverse("trash_empty", args=[workspace.slug]))
    page = listed(client, workspace, "trash")
    assert "Kept for characters" not in page
    assert "The trash is empty" in page


def test_a_deleted_image_cannot_be_restored(client: Client, workspace: Workspace) -> None:
    gone = add_image(workspace, trashed_at=timezone.now(), purged_at=timezone.now())
    response = post(client, "gallery_restore", workspace, gone)
    assert response.status_code == 404
    assert "permanently deleted" in body(response)


def test_a_viewer_sees_the_trash_and_restores_nothing(workspace: Workspace) -> None:
    image = trashed(workspace)
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    page = listed(viewer, workspace, "trash")
    assert "cat.jpg" in page
    assert 'form="restore-one"' not in page
    assert post(viewer, "gallery_restore", workspace, image).status_code == 403


def test_its_thumbnails_are_shown_only_to_members_and_by_no_link(workspace: Workspace) -> None:
    image = make_image(make_actor(workspace))
    Image.objects.update(trashed_at=timezone.now())
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    page = listed(viewer, workspace, "trash")
    url = reverse("trashed_file", args=[workspace.slug, image.pk])
    assert f'src="{url}"' in page
    assert "/files/" not in page
    shown = viewer.get(url)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert (shown["Cache-Control"], shown["Vary"]) == ("private, no-cache", "Cookie")
    assert Client().get(url).status_code == 302
    rival = signed_in(make_workspace(name="Rivals").members.get())
    assert rival.get(url).status_code == 404
    Image.objects.update(purged_at=timezone.now())
    assert viewer.get(url, headers={"If-None-Match": shown["ETag"]}).status_code == 404
