"""The gallery's page, its fragments, and stars."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.models import Image, Role, Star, Status, Workspace
from editor.queries.gallery import PAGE, Position
from tests.factories import make_member, make_workspace
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_completed, add_image, add_job, add_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def get(client: Client, workspace: Workspace, name: str = "gallery", **query: str) -> Any:
    return client.get(reverse(name, args=[workspace.slug]), query)


def get_part(client: Client, workspace: Workspace, name: str = "gallery", **query: str) -> Any:
    return client.get(reverse(name, args=[workspace.slug]), query, headers=HTMX)


def tiles(response: Any) -> list[str]:
    """The ids of the tiles, in their order."""
    return re.findall(r'<li class="shot" id="tile-([0-9a-f-]+)"', body(response))


def ids(*rows: Any) -> list[str]:
    return [str(row.pk) for row in rows]


def at(row: Image) -> str:
    return str(Position(row.created_at, row.pk))


def test_every_result_is_a_tile_and_all_link_to_their_page(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace)
    results = [
        add_completed(workspace, source, version=number, user=workspace.members.get()) for number in (2, 3)
    ]
    add_job(workspace, status=Status.FAILED)
    page = get(client, workspace)
    assert tiles(page) == ids(*results[::-1])
    assert "2 edits" in body(page)
    for result in results:
        assert reverse("gallery_image", args=[workspace.slug, result.pk]) in body(page)


def test_a_workspace_without_edits_is_invited_to_make_one(client: Client, workspace: Workspace) -> None:
    page = body(get(client, workspace))
    assert "Nothing here yet" in page
    assert "Clear filters" not in page


def test_a_filter_without_a_match_can_be_cleared(client: Client, workspace: Workspace) -> None:
    add_result(workspace)
    page = body(get(client, workspace, q="zebra"))
    assert "No edits match" in page
    assert "0 edits" in page


def test_the_page_shows_its_filter_and_the_tiles_keep_it(client: Client, workspace: Workspace) -> None:
    person = workspace.members.get()
    add_result(workspace, prompt="make it warmer")
    query = {"q": "warm make", "by": str(person.pk), "since": "7"}
    page = body(get(client, workspace, **query))
    assert 'value="warm make"' in page
    assert re.search(rf'value="{person.pk}"[^>]*\sselected', page)
    assert re.search(r'value="7"[^>]*\sselected', page)
    assert f"?q=warm+make&amp;by={person.pk}&amp;since=7" in page


def test_over_htmx_only_the_list_is_returned_with_a_clean_url(client: Client, workspace: Workspace) -> None:
    add_result(workspace)
    query = {"q": "", "by": "", "model": "", "since": "7", "status": "completed"}
    part = get_part(client, workspace, **query)
    assert "<html" not in body(part)
    assert part["HX-Replace-Url"] == reverse("gallery", args=[workspace.slug]) + "?since=7"


@pytest.mark.parametrize(
    "query",
    [
        {"q": "!!! ( & | :* '"},
        {"q": "\x00"},
        {"q": "w" * 5000},
        {"q": "é\u202e日本"},
        {"by": "x"},
        {"model": "no/such"},
        {"since": "0"},
        {"since": "9" * 30},
        {"status": "x"},
        {"starred": "yes"},
        {"older": "x"},
        {"older": f"{'9' * 16}.{'f' * 32}"},
        {"newest": "x"},
    ],
)
@pytest.mark.parametrize("name", ["gallery", "gallery_new"])
def test_invalid_filter_values_are_ignored(
    client: Client, workspace: Workspace, name: str, query: dict[str, str]
) -> None:
    add_result(workspace)
    for ask in (get, get_part):
        assert ask(client, workspace, name, **query).status_code in (200, 204)


def test_filtering_by_a_strangers_id_reveals_nothing(client: Client, workspace: Workspace) -> None:
    rivals = make_workspace(name="Rivals")
    add_result(rivals)
    page = get(client, workspace, by=str(rivals.members.get().pk))
    assert tiles(page) == []
    assert "Former member" in body(page)


def test_of_many_members_those_who_made_the_latest_images_are_listed(
    client: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("editor.queries.gallery.LISTED", 2)
    maker, quiet = make_member(workspace), make_member(workspace)
    add_result(workspace, user=maker)
    assert _options(get(client, workspace)) == ["", str(maker.pk)]
    assert str(quiet.pk) in _options(get(client, workspace, by=str(quiet.pk)))


def _options(page: Any) -> list[str]:
    choices = re.search(r'id="filter-by".*?</select>', body(page), re.DOTALL)
    assert choices
    return re.findall(r'<option value="([^"]*)"', choices[0])


def test_edits_without_an_image_show_why_and_cannot_be_selected(client: Client, workspace: Workspace) -> None:
    add_result(workspace)
    failed = add_job(workspace, status=Status.FAILED, parent=add_image(workspace))
    page = get(client, workspace, status="failed")
    assert tiles(page) == ids(failed)
    assert reverse("gallery_edit", args=[workspace.slug, failed.pk]) + "?status=failed" in body(page)
    assert 'type="checkbox" class="pick"' not in re.sub(r"\s+", " ", body(page))


def test_a_tile_shows_no_source_that_is_in_the_trash(client: Client, workspace: Workspace) -> None:
    add_job(workspace, status=Status.FAILED, parent=add_image(workspace, trashed_at=timezone.now()))
    assert 'class="no-image"' in body(get(client, workspace, status="failed"))


def test_older_tiles_follow_by_a_link_with_and_without_script(client: Client, workspace: Workspace) -> None:
    results = [add_result(workspace) for _ in range(PAGE + 3)][::-1]
    page = get(client, workspace, q="warm")
    assert tiles(page) == ids(*results[:PAGE])
    found = re.search(r'href="([^"]+older=[^"]+)"', body(page))
    assert found
    url = found[1].replace("&amp;", "&")
    assert "q=warm" in url
    assert tiles(client.get(url)) == ids(*results[PAGE:])
    part = client.get(url, headers=HTMX)
    assert tiles(part) == ids(*results[PAGE:])
    assert "older=" not in body(part)
    assert "hx-partial" not in body(part)


def test_new_tiles_are_later_ones_that_match_the_filter(client: Client, workspace: Workspace) -> None:
    first = add_result(workspace)
    assert get_part(client, workspace, "gallery_new", newest=at(first)).status_code == 204
    second, _ = add_result(workspace), add_result(workspace, prompt="sepia")
    part = get_part(client, workspace, "gallery_new", q="warm", newest=at(first))
    assert tiles(part) == ids(second)
    assert f'value="{at(second)}"' in body(part)
    assert "2 edits" in body(part)


def test_the_first_tile_of_an_empty_list_reloads_the_list(client: Client, workspace: Workspace) -> None:
    result = add_result(workspace)
    part = get_part(client, workspace, "gallery_new", newest="")
    assert tiles(part) == ids(result)
    assert 'hx-target="#results"' in body(part)


def test_after_a_long_absence_the_list_is_reloaded(client: Client, workspace: Workspace) -> None:
    first = add_result(workspace)
    results = [add_result(workspace) for _ in range(PAGE + 1)][::-1]
    part = get_part(client, workspace, "gallery_new", newest=at(first))
    assert tiles(part) == ids(*results[:PAGE])
    assert 'hx-target="#results"' in body(part)


def test_the_list_of_running_edits_is_reloaded_as_they_end(client: Client, workspace: Workspace) -> None:
    running, _ = add_job(workspace), add_job(workspace, status=Status.COMPLETED)
    part = get_part(client, workspace, "gallery_new", status="running", newest="")
    assert tiles(part) == ids(running)


@pytest.mark.parametrize("query", [{"status": "failed"}, {"older": f"{'9' * 15}.{'0' * 32}"}])
def test_a_list_that_is_not_live_requests_no_updates(
    client: Client, workspace: Workspace, query: dict[str, str]
) -> None:
    assert 'id="shown"' in body(get(client, workspace))
    assert 'id="shown"' not in body(get(client, workspace, **query))
    add_result(workspace)
    assert get_part(client, workspace, "gallery_new", **query).status_code == 204


def star(client: Client, workspace: Workspace, *images: Image, part: bool = False, **fields: str) -> Any:
    url = reverse("gallery_star", args=[workspace.slug])
    return client.post(url, {"images": ids(*images), **fields}, headers=HTMX if part else {})


def test_stars_are_set_and_removed_per_user(client: Client, workspace: Workspace) -> None:
    images = [add_result(workspace) for _ in range(2)]
    response = star(client, workspace, *images)
    assert response["Location"] == reverse("gallery", args=[workspace.slug])
    assert Star.objects.filter(user=workspace.members.get()).count() == 2
    assert body(get(client, workspace)).count("Starred</span>") == 2
    colleague = signed_in(make_member(workspace, role=Role.VIEWER))
    assert body(get(colleague, workspace)).count("Starred</span>") == 0
    star(client, workspace, images[0], starred="0")
    assert Star.objects.get().image == images[1]


def test_over_htmx_a_star_changes_the_tile_and_the_lightbox(client: Client, workspace: Workspace) -> None:
    image = add_result(workspace)
    part = body(star(client, workspace, image, part=True))
    assert f'hx-target="#mark-{image.pk}"' in part
    assert f'hx-target="#star-{image.pk}"' in part
    assert 'aria-pressed="true"' in part


@pytest.mark.parametrize(
    ("next", "leads"),
    [("/w/acme-studio/trash/", True), ("https://evil.test/", False), ("//evil.test", False)],
)
def test_starring_redirects_only_within_the_portal(
    client: Client, workspace: Workspace, next: str, leads: bool
) -> None:
    response = star(client, workspace, add_result(workspace), next=next)
    assert response["Location"] == (next if leads else reverse("gallery", args=[workspace.slug]))


def test_more_than_a_hundred_at_once_are_refused(client: Client, workspace: Workspace) -> None:
    url = reverse("gallery_star", args=[workspace.slug])
    response = client.post(url, {"images": [str(uuid.uuid4()) for _ in range(101)]})
    assert response.status_code == 400
    assert "At most 100" in body(response)


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=5), "5 minutes ago"),
        (timedelta(hours=3), "3 hours ago"),
        (timedelta(days=6), "6 days ago"),
    ],
)
def test_a_tile_shows_its_age(client: Client, workspace: Workspace, age: timedelta, words: str) -> None:
    result = add_result(workspace)
    Image.objects.filter(pk=result.pk).update(created_at=timezone.now() - age)
    assert words in body(get(client, workspace))


def test_an_old_tile_shows_its_date(client: Client, workspace: Workspace) -> None:
    result = add_result(workspace)
    moment = timezone.now() - timedelta(days=40)
    Image.objects.filter(pk=result.pk).update(created_at=moment)
    assert f"{moment.day} {moment:%b %Y}" in body(get(client, workspace))


def test_user_input_is_escaped(client: Client, workspace: Workspace) -> None:
    evil = '<script>alert(1)</script><hx-partial hx-target="body">'
    add_result(workspace, prompt=evil)
    for page in (get(client, workspace, q="script"), get_part(client, workspace)):
        assert "<script>alert" not in body(page)
        assert '<hx-partial hx-target="body">' not in body(page)
