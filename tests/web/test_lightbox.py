"""One edit with its whole recipe, as a page and in the gallery's dialog."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from editor.api import profile as api
from editor.compat.bfl import profile as bfl
from editor.compat.openai import profile as openai
from editor.compat.wiro import profile as wiro
from editor.gateway.profile import Profile
from editor.mcp import profile as mcp
from editor.media import links
from editor.models import (
    Character,
    Image,
    Job,
    JobImage,
    Role,
    Status,
    Style,
    Workspace,
)
from tests.factories import make_actor, make_image, make_member, make_workspace
from tests.web.requests import HTMX, body, signed_in
from tests.web.rows import add_completed, add_image, add_job, add_result

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace()


@pytest.fixture
def client(workspace: Workspace) -> Client:
    return signed_in(workspace.members.get())


def url_of(row: Image | Job) -> str:
    name = "gallery_image" if isinstance(row, Image) else "gallery_edit"
    return reverse(name, args=[row.workspace.slug, row.pk])


def show(client: Client, row: Image | Job, **query: str) -> str:
    response = client.get(url_of(row), query)
    assert response.status_code == 200
    return body(response)


def recipe(page: str) -> dict[str, str]:
    return {
        label: " ".join(value.split())
        for label, value in re.findall(r"<dt>([^<]+)</dt>\s*<dd[^>]*>([^<]*)</dd>", page)
    }


def step(page: str, name: str) -> str | None:
    found = re.search(rf'id="lightbox-{name}"\s+href="([^"]+)"', page)
    return found[1].replace("&amp;", "&") if found else None


def test_the_recipe_is_shown_in_full(client: Client, workspace: Workspace) -> None:
    now = timezone.now()
    style = Style.objects.create(workspace=workspace, name="Own look", prompt="sepia", version=3)
    character = Character.objects.create(workspace=workspace, name="Ada")
    result = add_result(
        workspace,
        tier="standard",
        sent_prompt="make it warmer, sepia",
        inputs={"safetyTolerance": "2", "promptUpsampling": "false", "gone": "x"},
        seed=418203377,
        style=style,
        style_version=2,
        character=character,
        character_version=1,
        started_at=now + timedelta(seconds=2),
        finished_at=now + timedelta(seconds=8.4),
    )
    job = result.job
    assert job is not None
    Job.objects.filter(pk=job.pk).update(created_at=now)
    for position, role in enumerate((JobImage.Role.SOURCE, JobImage.Role.REFERENCE, JobImage.Role.MASK)):
        JobImage.objects.create(job=job, image=add_image(workspace), role=role, position=position)
    page = show(client, result)
    assert recipe(page) == {
        "Model": "FLUX.1 Kontext [pro]",
        "Quality": "Standard",
        "Provider": "Built-in sandbox, portal",
        "Size": "96 × 64 PNG, 1 byte",
        "Seed": "418203377",
        "Safety tolerance": "2",
        "Prompt upsampling": "No",
        "gone": "x",
        "Style": "Own look, version 2",
        "Character": "Ada, version 1",
        "Reference images": "1",
        "Mask": "Yes",
        "Cost": "4 credits",
        "Time in queue": "2.0 s",
        "Processing time": "6.4 s",
        "Total time": "8.4 s",
        "Submitted via": "Studio",
    }
    assert "Prompt sent to the model" in page
    assert "make it warmer, sepia" in page


@pytest.mark.parametrize(
    ("channel", "name"),
    [
        (api.PROFILE, "API"),
        (mcp.PROFILE, "MCP"),
        (bfl.PROFILE, "BFL-compatible API"),
        (wiro.PROFILE, "Wiro-compatible API"),
        (openai.PROFILE, "OpenAI-compatible API"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_the_channel_is_shown_by_its_display_name(
    client: Client, workspace: Workspace, channel: Profile, name: str
) -> None:
    assert recipe(show(client, add_result(workspace, channel=channel.name)))["Submitted via"] == name


def test_removed_models_and_presets_are_still_named(client: Client, workspace: Workspace) -> None:
    result = add_result(workspace, model="gone/model", provider="gone", own_key=True, style_version=1)
    reported = recipe(show(client, result))
    assert reported["Model"] == "gone/model"
    assert reported["Provider"] == "gone, own key"
    assert reported["Style"] == "Deleted since, version 1"
    Image.objects.filter(pk=result.pk).update(created_by=None)
    assert "Former member" in show(client, result)


def test_the_prompt_is_shown_once_if_nothing_was_added(client: Client, workspace: Workspace) -> None:
    result = add_result(workspace, sent_prompt="make it warmer")
    assert "Prompt sent to the model" not in show(client, result)


def test_a_result_is_compared_with_its_source(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace)
    result = add_completed(workspace, source, version=2, user=workspace.members.get())
    page = show(client, result)
    assert "<before-after>" in page
    assert links.sign(source.pk, "1280") in page
    assert reverse("studio_version", args=[workspace.slug, source.pk]) in page


def test_a_result_of_another_shape_is_shown_beside_its_source(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace)
    result = add_completed(workspace, source, version=2, user=workspace.members.get())
    Image.objects.filter(pk=result.pk).update(width=97, height=64)
    assert '<before-after class="beside">' not in show(client, result)
    Image.objects.filter(pk=result.pk).update(width=64, height=96)
    assert '<before-after class="beside">' in show(client, result)


def test_a_source_in_the_trash_is_not_shown(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace, trashed_at=timezone.now())
    result = add_completed(workspace, source, version=2, user=workspace.members.get())
    page = show(client, result)
    assert "<before-after>" not in page
    assert links.sign(source.pk, "1280") not in page
    assert links.sign(source.pk, "160") not in page


def test_neighbours_are_those_of_the_filter(client: Client, workspace: Workspace) -> None:
    old, other, middle, new = (
        add_result(workspace, prompt=prompt) for prompt in ("warm", "cold", "warm", "warm")
    )
    page = show(client, middle, q="warm")
    assert step(page, "newer") == f"{url_of(new)}?q=warm"
    assert step(page, "older") == f"{url_of(old)}?q=warm"
    assert step(show(client, middle), "older") == url_of(other)
    assert step(show(client, new), "newer") is None
    assert step(show(client, old), "older") is None


def test_closing_returns_to_the_filtered_list(client: Client, workspace: Workspace) -> None:
    page = show(client, add_result(workspace), q="warm")
    assert step(page, "close") == reverse("gallery", args=[workspace.slug]) + "?q=warm"


def test_over_htmx_it_is_a_fragment_that_is_paged_in_place(client: Client, workspace: Workspace) -> None:
    results = [add_result(workspace) for _ in range(2)]
    part = body(client.get(url_of(results[0]), headers=HTMX))
    assert "<html" not in part
    assert 'hx-target="#lightbox"' in part
    assert 'hx-target="#lightbox"' not in show(client, results[0])


def test_an_edit_without_a_result_shows_its_source_and_why(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace)
    jobs = [
        add_job(workspace, status=Status.FAILED, parent=source, error=f"Reason {number}.")
        for number in (1, 2)
    ]
    page = show(client, jobs[1], status="failed")
    assert "Reason 2." in page
    assert recipe(page)["Cost"] == "Nothing was charged"
    assert links.sign(source.pk, "1280") in page
    assert step(page, "older") == f"{url_of(jobs[0])}?status=failed"
    assert step(show(client, jobs[1]), "older") is None, "jobs have no place among images"


def test_a_running_edit_shows_its_result_as_soon_as_it_has_one(client: Client, workspace: Workspace) -> None:
    job = add_job(workspace)
    page = show(client, job, status="running")
    assert "Queued" in page
    assert recipe(page)["Cost"] == "4 credits held"
    result = add_result(workspace)
    assert result.job is not None
    assert f"open-{result.pk}" in show(client, result.job)


@pytest.mark.parametrize("kind", [Image.Kind.SOURCE, Image.Kind.REFERENCE, Image.Kind.MASK])
def test_an_image_without_an_edit_has_no_recipe(
    client: Client, workspace: Workspace, kind: Image.Kind
) -> None:
    assert client.get(url_of(add_image(workspace, kind=kind))).status_code == 404


def test_an_image_in_the_trash_is_not_found_with_an_explanation(client: Client, workspace: Workspace) -> None:
    result = add_result(workspace)
    Image.objects.filter(pk=result.pk).update(trashed_at=timezone.now())
    response = client.get(url_of(result))
    assert response.status_code == 404
    assert "in the trash" in body(response)


def test_a_viewer_is_offered_no_actions(workspace: Workspace) -> None:
    viewer = signed_in(make_member(workspace, role=Role.VIEWER))
    page = show(viewer, add_result(workspace))
    assert "Run again" not in page
    assert "Move to trash" not in page
    assert 'aria-label="Star"' in page


def again(client: Client, job: Job, key: str = "k") -> Any:
    return client.post(reverse("again", args=[job.workspace.slug, job.pk]), {"idempotency_key": key})


def test_running_again_redirects_to_the_studio_and_runs_once(client: Client, workspace: Workspace) -> None:
    actor = make_actor(workspace)
    source = make_image(actor)
    job = add_completed(workspace, source, version=2, user=actor.user).job
    assert job is not None
    JobImage.objects.create(job=job, image=source, role=JobImage.Role.SOURCE, position=0)
    for _ in range(2):
        response = again(client, job)
        assert response["Location"] == reverse("studio_version", args=[workspace.slug, source.pk])
    repeated = Job.objects.exclude(pk=job.pk).get()
    assert (repeated.prompt, repeated.model, repeated.parent) == (job.prompt, job.model, source)


def test_running_again_without_its_image_is_explained(client: Client, workspace: Workspace) -> None:
    source = add_image(workspace, trashed_at=timezone.now())
    job = add_completed(workspace, source, version=2, user=workspace.members.get()).job
    assert job is not None
    JobImage.objects.create(job=job, image=source, role=JobImage.Role.SOURCE, position=0)
    response = again(client, job)
    assert response.status_code == 404
    assert "in the trash" in body(response)
    assert Job.objects.count() == 1
