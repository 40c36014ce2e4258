"""The versions of an image in the Studio: its tree, comparisons, samples, stars and the trash."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from editor.models import Image, Job, Star, Status, User, Workspace
from tests.factories import make_workspace
from tests.web.requests import HTMX
from tests.web.rows import add_completed, add_image, add_job

pytestmark = pytest.mark.django_db


def page(client: Client, image: Image, **query: Any) -> str:
    url = reverse("studio_version", args=[image.workspace.slug, image.id])
    response = client.get(url, query)
    assert response.status_code == 200
    return response.content.decode()


def tree(text: str) -> list[tuple[str, str]]:
    """(lane, label) of the versions in the rail."""
    rail = text.partition('id="rail"')[2].partition("</nav>")[0]
    return re.findall(r'<li class="lane-(\d)">.*?<b>([^<]+)</b>', rail, re.DOTALL)


def tags(text: str) -> list[str]:
    return re.findall(r'<b class="tag">([^<]+)</b>', text)


def trash(image: Image) -> None:
    image.trashed_at = timezone.now()
    image.save(update_fields=["trashed_at"])


def add_child(source: Image, *, parent: Image, version: int) -> Image:
    image = add_completed(source.workspace, source, version=version, user=source.workspace.members.get())
    image.parent = parent
    image.save(update_fields=["parent"])
    return image


def test_trashed_versions_leave_the_rail_and_their_edits_follow_their_source(
    workspace: Workspace, client: Client
) -> None:
    source = add_image(workspace)
    second = add_child(source, parent=source, version=2)
    third = add_child(source, parent=second, version=3)
    fourth = add_child(source, parent=third, version=4)
    add_child(source, parent=source, version=5)
    assert tree(page(client, fourth)) == [
        ("0", "Original"),
        ("0", "v2"),
        ("0", "v3"),
        ("0", "v4"),
        ("1", "v5"),
    ]
    trash(second)
    trash(third)
    text = page(client, fourth)
    assert tree(text) == [("0", "Original"), ("0", "v4"), ("1", "v5")]
    assert f'alt="Original: image" width="{source.width}"' in re.sub(r"\s+", " ", text)
    trash(source)
    assert tree(page(client, fourth)) == [("0", "v4"), ("0", "v5")]
    assert "before-after" not in page(client, fourth)


def test_the_page_of_an_image_in_the_trash_explains_where_it_is(workspace: Workspace, client: Client) -> None:
    image = add_image(workspace)
    trash(image)
    for headers in ({}, HTMX):
        url = reverse("studio_version", args=[workspace.slug, image.id])
        response = client.get(url, headers=headers)
        assert response.status_code == 404
        assert "in the trash" in response.content.decode()


def test_any_other_version_of_the_image_can_be_compared(workspace: Workspace, client: Client) -> None:
    source = add_image(workspace)
    second = add_child(source, parent=source, version=2)
    third = add_child(source, parent=source, version=3)
    assert tags(page(client, third)) == ["Before", "After"]
    text = page(client, third, **{"with": second.id})
    assert tags(text) == ["v2", "v3"]
    assert f'name="with" value="{second.id}"' in text
    assert len(re.findall(r'aria-pressed="true"\s+aria-label="Compare with this: v2"', text)) == 1


@pytest.mark.parametrize("case", ["itself", "nothing", "nonsense", "trashed", "another picture", "theirs"])
def test_an_invalid_comparison_is_ignored(workspace: Workspace, client: Client, case: str) -> None:
    source = add_image(workspace)
    result = add_child(source, parent=source, version=2)
    trashed = add_child(source, parent=source, version=3)
    trash(trashed)
    other = {
        "itself": result.id,
        "nothing": uuid.uuid4(),
        "nonsense": "%00'",
        "trashed": trashed.id,
        "another picture": add_image(workspace).id,
        "theirs": add_image(make_workspace(name="Rivals")).id,
    }[case]
    text = page(client, result, **{"with": other})
    assert tags(text) == ["Before", "After"]
    assert 'name="with" value' not in text.partition("<form id=")[2].partition("</form>")[0]


def test_the_url_of_a_new_result_keeps_the_comparison(workspace: Workspace, client: Client) -> None:
    source = add_image(workspace)
    second = add_child(source, parent=source, version=2)
    third = add_child(source, parent=source, version=3)
    url = reverse("rail", args=[workspace.slug])
    response = client.get(url, {"at": str(third.id), "with": str(second.id)}, headers=HTMX)
    path = reverse("studio_version", args=[workspace.slug, third.id])
    assert response["HX-Push-Url"] == f"{path}?with={second.id}"


def test_samples_of_one_edit_are_offered_on_the_page_of_each(workspace: Workspace, client: Client) -> None:
    source = add_image(workspace)
    job = add_job(workspace, status=Status.COMPLETED, parent=source)
    fields: dict[str, Any] = {"kind": Image.Kind.RESULT, "job": job, "parent": source, "root": source}
    samples = [add_image(workspace, position=at, version=at + 2, **fields) for at in range(3)]
    add_child(source, parent=source, version=5)
    text = page(client, samples[1])
    shown = text.partition('<ul class="siblings"')[2].partition("</ul>")[0]
    assert re.findall(r"<span>(v\d)</span>", shown) == ["v2", "v3", "v4"]
    assert shown.partition('aria-current="true"')[0].count("<li>") == 2
    trash(samples[0])
    trash(samples[2])
    assert 'class="siblings"' not in page(client, samples[1])
    assert 'class="siblings"' not in page(client, source)


def test_the_neighbours_in_the_rail_have_keyboard_shortcuts(workspace: Workspace, client: Client) -> None:
    source = add_image(workspace)
    second = add_child(source, parent=source, version=2)
    third = add_child(source, parent=second, version=3)
    keys = {
        image.label: re.findall(r'id="rail-[^"]+"[^>]*aria-keyshortcuts="(.)"', page(client, image))
        for image in (source, second, third)
    }
    assert keys == {"Original": ["]"], "v2": ["[", "]"], "v3": ["["]}


def test_stars_are_per_user(workspace: Workspace, user: User, client: Client) -> None:
    image = add_image(workspace)
    other = User.objects.create_user("other@example.test")
    Star.objects.create(user=other, image=image)
    assert 'aria-pressed="false"\n          aria-label="Star"' in page(client, image)
    Star.objects.create(user=user, image=image)
    assert 'aria-pressed="true"\n          aria-label="Star"' in page(client, image)


def test_earlier_prompts_are_the_users_own_newest_first_and_unique(
    workspace: Workspace, user: User, client: Client
) -> None:
    for number in range(25):
        add_job(workspace, created_by=user, prompt=f"prompt {number}")
    add_job(workspace, created_by=user, prompt="prompt 23")
    add_job(workspace, created_by=User.objects.create_user("other@example.test"), prompt="not mine")
    add_job(make_workspace(name="Elsewhere", owner=user), created_by=user, prompt="not here")
    Job.objects.filter(prompt="prompt 23").update(prompt='"prompt" <23>')
    text = client.get(reverse("studio", args=[workspace.slug])).content.decode()
    history = re.findall(r'<option value="([^"]*)"', text.partition('id="history"')[2].partition("</d")[0])
    assert history[:3] == ["&quot;prompt&quot; &lt;23&gt;", "prompt 24", "prompt 22"]
    assert len(history) == 20


def add_line(source: Image, count: int) -> list[Image]:
    """A line of versions in one tree, each made from the one before."""
    images = [source]
    for version in range(2, count + 1):
        images.append(add_child(source, parent=images[-1], version=version))
    return images


def test_a_long_line_of_versions_is_shown_in_parts(workspace: Workspace, client: Client) -> None:
    versions = add_line(add_image(workspace), 200)
    text = page(client, versions[100])
    assert [label for _, label in tree(text)] == [f"v{number}" for number in range(86, 117)]
    assert len(text) < 150_000
    earlier, later = re.findall(r'hx-get="(/w/[^"]+/rail/[^"]+)"', text)
    part = client.get(earlier.replace("&amp;", "&"), headers=HTMX).content.decode()
    labels = re.findall(r'<li class="lane-0">.*?<b>([^<]+)</b>', part, re.DOTALL)
    assert labels == [f"v{number}" for number in range(56, 86)]
    assert (part.count("Earlier versions"), part.count("Later versions")) == (1, 0)
    part = client.get(later.replace("&amp;", "&"), headers=HTMX).content.decode()
    assert re.findall(r'<li class="lane-0">.*?<b>([^<]+)</b>', part, re.DOTALL)[0] == "v117"
    assert (part.count("Earlier versions"), part.count("Later versions")) == (0, 1)


@pytest.mark.parametrize("rows", ["x", "5", "-1-5", "0-1000", "9-5", "9" * 5000 + "-" + "9" * 5000, "²-³"])
def test_odd_rows_of_versions_are_refused(workspace: Workspace, client: Client, rows: str) -> None:
    image = add_image(workspace)
    url = reverse("rail", args=[workspace.slug])
    assert client.get(url, {"at": str(image.id), "rows": rows}, headers=HTMX).status_code == 400


def test_a_version_is_described_by_its_prompt_person_time_model_and_price(
    workspace: Workspace, user: User, client: Client
) -> None:
    User.objects.filter(pk=user.pk).update(name="Jonas Weber")
    source = add_image(workspace, created_by=user)
    second = add_child(source, parent=source, version=2)
    third = add_child(source, parent=source, version=3)
    Job.objects.filter(results=third).update(prompt="Bleached oak table")
    Image.objects.filter(pk=third.pk).update(created_at=datetime(2026, 11, 26, 16, 20, tzinfo=UTC))
    row = page(client, second).partition(f'id="rail-{third.id}"')[2].partition("</li>")[0]
    assert 'aria-label="v3, from Original: Bleached oak table, by Jonas Weber"' in row
    assert f'aria-describedby="at-{third.id} about-{third.id}"' in row
    assert re.search(rf'id="at-{third.id}"><time[^>]*>26 Nov 16:20<', row)
    assert re.search(rf'id="about-{third.id}">FLUX.1 Kontext \[pro\] · 4 credits · \d+\.\d s<', row)
    tip = " ".join(re.sub(r"<[^>]+>", " ", row.partition('role="tooltip">')[2]).split())
    assert tip.startswith("v3 made from Original JW Jonas Weber · 26 Nov 16:20 Bleached oak table FLUX.1")
    assert tip.endswith("Enter open Shift Enter compare with v2")


def test_folded_versions_are_remembered(workspace: Workspace, client: Client) -> None:
    image = add_image(workspace)
    url = reverse("rail_fold", args=[workspace.slug])
    assert 'aria-expanded="true"' in page(client, image)
    part = client.post(url, {"folded": "1"}, headers=HTMX).content.decode()
    assert part.count('aria-expanded="false"') == 1
    assert 'aria-expanded="false"' in page(client, image)
    back = f"http://testserver/w/{workspace.slug}/"
    assert client.post(url, {"folded": ""}, headers={"Referer": back})["Location"].endswith(back[17:])
    assert 'aria-expanded="true"' in page(client, image)


def add_thousand(source: Image) -> list[Image]:
    """A line of a thousand versions, of which two branches begin at the first; with long prompts."""
    workspace = source.workspace
    like = add_job(workspace, status=Status.COMPLETED, prompt="make it warmer, and leave the rest " * 30)
    copied = ("status", "finished_at", "prompt", "model", "provider", "target", "time_limit", "price")
    fields = {name: getattr(like, name) for name in copied}
    jobs = [Job(workspace=workspace, **fields) for _ in range(999)]
    versions = [source]
    for number, job in enumerate(Job.objects.bulk_create(jobs), 2):
        image = add_image(workspace, save=False, kind=Image.Kind.RESULT, job=job, version=number)
        image.parent, image.root = source if number in (400, 700) else versions[-1], source
        versions.append(image)
    Image.objects.bulk_create(versions[1:])
    return versions


def test_a_thousand_versions_take_a_small_page_and_no_more_queries_than_a_few(
    workspace: Workspace, client: Client
) -> None:
    few = add_line(add_image(workspace), 3)
    versions = add_thousand(add_image(workspace))
    page(client, few[-1])
    with CaptureQueriesContext(connection) as of_few:
        page(client, few[-1])
    for version in (versions[0], versions[399], versions[-1]):
        with CaptureQueriesContext(connection) as of_many:
            text = page(client, version)
        assert len(of_many) == len(of_few)
        assert len(text.encode()) < 150_000
