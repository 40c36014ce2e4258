"""Uploads without an edit are found again: in the empty Studio, and in the gallery under Sources."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import Image, JobImage, Role, Star, Status, User, Workspace
from editor.queries import gallery
from editor.queries.gallery import SOURCES, Filter
from editor.queries.studio import RECENT, unused_uploads
from tests.factories import make_member, make_workspace
from tests.web.requests import HTMX, signed_in
from tests.web.rows import add_completed, add_image, add_job, add_result

pytestmark = pytest.mark.django_db


def page(client: Client, name: str, workspace: Workspace, **data: str) -> str:
    response = client.get(reverse(name, args=[workspace.slug]), data)
    assert response.status_code == 200
    return response.content.decode()


def use(image: Image, *, status: Status) -> Image:
    """A job with this image, and its result if it is completed."""
    assert image.created_by
    if status == Status.COMPLETED:
        result = add_completed(image.workspace, image, version=2, user=image.created_by)
        job = result.job
    else:
        result = image
        job = add_job(image.workspace, status=status, parent=image, created_by=image.created_by)
    assert job
    JobImage.objects.create(job=job, image=image, role=JobImage.Role.SOURCE, position=0)
    return result


# --- Recent, in the empty Studio


def test_the_empty_studio_shows_the_newest_uploads_without_an_edit(
    workspace: Workspace, user: User, client: Client
) -> None:
    images = [
        add_image(workspace, created_by=user, original_name=f"photo {number}.png")
        for number in range(RECENT + 1)
    ]
    found = page(client, "studio", workspace)
    names = re.findall(r'aria-label="Edit (photo \d+\.png)"', found)
    assert names == [f"photo {number}.png" for number in range(RECENT, 0, -1)]
    assert f'href="{reverse("studio_version", args=[workspace.slug, images[-1].pk])}"' in found
    assert "?status=sources" in found


def test_without_uploads_nothing_is_recent(workspace: Workspace, client: Client) -> None:
    assert "Recent" not in page(client, "studio", workspace)


def test_a_reference_image_can_be_edited_too(workspace: Workspace, user: User, client: Client) -> None:
    image = add_image(workspace, kind=Image.Kind.REFERENCE, created_by=user, original_name="logo.png")
    assert 'aria-label="Edit logo.png"' in page(client, "studio", workspace)
    shown = client.get(reverse("studio_version", args=[workspace.slug, image.pk])).content.decode()
    assert "Editing the original" in shown


def test_an_upload_with_an_edit_is_not_recent_unless_the_edit_left_nothing(
    workspace: Workspace, user: User
) -> None:
    for status in (Status.COMPLETED, Status.PENDING, Status.PROCESSING):
        use(add_image(workspace, created_by=user), status=status)
    failed = add_image(workspace, created_by=user)
    use(failed, status=Status.FAILED)
    of_trashed = add_image(workspace, created_by=user)
    result = use(of_trashed, status=Status.COMPLETED)
    assert unused_uploads(workspace, user) == [failed]
    Image.objects.filter(pk=result.pk).update(trashed_at=timezone.now())
    assert unused_uploads(workspace, user) == [of_trashed, failed]


def test_what_is_not_the_users_own_upload_is_not_recent(workspace: Workspace, user: User) -> None:
    other = make_workspace(owner=user, name="Rivals")
    add_image(other, created_by=user)
    add_image(workspace, created_by=make_member(workspace))
    add_image(workspace, created_by=user, kind=Image.Kind.MASK)
    add_image(workspace, created_by=user, from_sample=True)
    add_image(workspace, created_by=user, trashed_at=timezone.now())
    add_result(workspace, user=user)
    assert unused_uploads(workspace, user) == []


def test_a_viewer_gets_no_uploads_to_edit(workspace: Workspace) -> None:
    viewer = make_member(workspace, role=Role.VIEWER)
    add_image(workspace, created_by=viewer, original_name="photo.png")
    assert "photo.png" not in page(signed_in(viewer), "studio", workspace)


# --- Sources, in the gallery


def sources(workspace: Workspace, viewer: User, **fields: object) -> list[Image]:
    return list(gallery.uploads(workspace, viewer, Filter(status=SOURCES, **fields)))  # type: ignore[arg-type]


def test_the_gallery_lists_uploads_that_open_in_the_studio(
    workspace: Workspace, user: User, client: Client
) -> None:
    image = add_image(workspace, created_by=user, original_name="beach at noon.png")
    result = add_completed(workspace, image, version=2, user=user)
    found = page(client, "gallery", workspace, status="sources")
    assert "beach at noon.png" in found
    assert "1 upload\n" in found or "1 upload<" in found
    link = found.partition(f'id="open-{image.pk}"')[2].partition(">")[0]
    assert reverse("studio_version", args=[workspace.slug, image.pk]) in link
    assert "hx-get" not in link
    assert f'name="images"\n           value="{image.pk}"' in found
    assert f"tile-{result.pk}" not in found
    assert "beach at noon.png" not in page(client, "gallery", workspace)


def test_uploads_are_listed_with_and_without_an_edit_newest_first(workspace: Workspace, user: User) -> None:
    other = make_workspace(name="Rivals")
    add_image(other, created_by=user)
    first = add_image(workspace, created_by=user)
    use(first, status=Status.COMPLETED)
    second = add_image(workspace, kind=Image.Kind.REFERENCE)
    add_image(workspace, kind=Image.Kind.MASK)
    add_image(workspace, trashed_at=timezone.now())
    assert sources(workspace, user) == [second, first]


def test_the_filter_narrows_uploads(workspace: Workspace, user: User) -> None:
    ada = make_member(workspace)
    User.objects.filter(pk=ada.pk).update(name="Ada Lovelace")
    hers = add_image(workspace, created_by=ada, original_name="Engine.png")
    his = add_image(workspace, created_by=user, original_name="engine room.png")
    Star.objects.create(user=user, image=his)
    assert sources(workspace, user, words=("ENGINE",)) == [his, hers]
    assert sources(workspace, user, words=("engine", "ada")) == [hers]
    assert sources(workspace, user, words=("%",)) == []
    assert sources(workspace, user, by=ada.pk) == [hers]
    assert sources(workspace, user, starred=True) == [his]
    assert sources(workspace, user, model="black-forest-labs/flux-2-pro") == []


def test_empty_lists_say_why(workspace: Workspace, client: Client) -> None:
    assert "No uploads yet" in page(client, "gallery", workspace, status="sources")
    assert "No uploads match" in page(client, "gallery", workspace, status="sources", q="beach")


def test_a_result_has_no_neighbours_among_uploads(workspace: Workspace, user: User, client: Client) -> None:
    image = add_image(workspace, created_by=user)
    result = add_completed(workspace, image, version=2, user=user)
    url = reverse("gallery_image", args=[workspace.slug, result.pk])
    shown = client.get(url, {"status": "sources"}, headers=HTMX)
    assert shown.status_code == 200
    assert str(image.pk) not in "".join(re.findall(r'hx-get="([^"]*gallery[^"]*)"', shown.content.decode()))


@pytest.mark.parametrize(("name", "data"), [("studio", {}), ("gallery", {"status": "sources"})])
def test_more_uploads_need_no_more_queries(
    workspace: Workspace, user: User, client: Client, name: str, data: dict[str, str]
) -> None:
    counts = []
    for rows in (2, 2, 40):  # with one that is used
        for number in range(rows):
            image = add_image(workspace, created_by=user, original_name="photo.png")
            if number % 2:
                use(image, status=Status.COMPLETED)
        with CaptureQueriesContext(connection) as queries:
            assert "photo.png" in page(client, name, workspace, **data)
        counts.append(len(queries))
    assert counts[1] == counts[2] > 0
