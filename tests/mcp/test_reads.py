"""The tools that return models, prices and jobs, and cancel_job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from editor import catalog
from editor.access import scopes
from editor.concurrency.threads import in_thread
from editor.errors import Conflict, InvalidInput, NotFound, PermissionDenied
from editor.mcp.tools import rows
from editor.media import store
from editor.models import Image, Job
from editor.operations import images, jobs, outcomes
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from tests.factories import make_actor, photo
from tests.mcp.conftest import AT, Agent


def submit(agent: Agent, prompt: str = "a harbour") -> Job:
    return jobs.submit(actor=agent.actor, request=NewEdit(prompt=prompt))


def complete(agent: Agent, **picture: Any) -> Image:
    """Complete a job of this agent and return its result."""
    job = submit(agent)
    workspace_id = agent.actor.workspace.id
    clean = store.clean(photo(**picture), tenant=str(workspace_id))
    stored = images.save(workspace_id=workspace_id, clean=clean)
    outcomes.end_completed(job=job, stored=[stored], seed=7)
    return Image.objects.get(job=job)


async def test_models_are_listed_with_price_tiers_and_parameter_names(agent: Agent) -> None:
    models = (await agent.ask("list_models")).data["models"]
    assert [model["id"] for model in models] == list(catalog.catalog().models)
    pro = next(model for model in models if model["id"] == "black-forest-labs/flux-kontext-pro")
    assert (pro["credits"], pro["tiers"], pro["most_images"]) == (4, ["standard"], 1)
    assert "aspectRatio" in pro["parameter_names"]
    assert pro["parameters"] is None


async def test_one_model_is_returned_with_its_parameters(agent: Agent) -> None:
    (model,) = (await agent.ask("list_models", model="openai/gpt-image-1-mini")).data["models"]
    assert model["parameters"]["quality"]["enum"] == ["low", "medium"]
    assert set(model["parameters"]) == set(model["parameter_names"])
    with pytest.raises(InvalidInput):
        await agent.ask("list_models", model="acme/best")


async def test_an_estimate_equals_the_price_of_the_edit(agent: Agent) -> None:
    parsed = {"model": "openai/gpt-image-1-mini", "parameters": {"samples": 3}}
    estimate = (await agent.ask("estimate_credits", **parsed)).data
    edit = (await agent.ask("edit_image", prompt="a harbour", wait_seconds=0, **parsed)).data
    assert estimate["estimated_credits"] == edit["credits"] > 0
    assert (estimate["available_credits"], estimate["can_proceed"]) == (100, True)


async def test_an_estimate_of_a_tier_names_its_model(agent: Agent) -> None:
    estimate = (await agent.ask("estimate_credits", model_tier="pro")).data
    assert (estimate["model"], estimate["model_tier"]) == ("black-forest-labs/flux-kontext-max", "pro")
    with pytest.raises(InvalidInput):
        await agent.ask("estimate_credits", model_tier="pro", parameters={"no": "such"})


async def test_only_the_workspaces_own_jobs_are_listed(agent: Agent) -> None:
    foreign = await in_thread(lambda: submit(Agent(make_actor(), scopes.EVERYTHING)))
    own = [await in_thread(submit, agent, prompt) for prompt in ("first", "second", "third")]
    page = (await agent.ask("list_jobs", per_page=2)).data
    assert [job["prompt"] for job in page["jobs"]] == ["third", "second"]
    assert page["has_more"]
    page = (await agent.ask("list_jobs", per_page=2, page=2)).data
    assert [job["job_id"] for job in page["jobs"]] == [str(own[0].id)]
    assert not page["has_more"]
    assert (await agent.ask("list_jobs", status="completed")).data["jobs"] == []
    for tool, name in (("geteditresult", "id"), ("cancel_job", "job_id")):
        for job_id in (str(foreign.id), str(uuid4()), "../etc", ""):
            with pytest.raises(NotFound):
                await agent.ask(tool, **{name: job_id})


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 5])
def test_the_number_of_queries_does_not_depend_on_the_number_of_jobs(
    django_assert_num_queries: DjangoAssertNumQueries, agent: Agent, count: int
) -> None:
    for _ in range(count):
        complete(agent)
    with django_assert_num_queries(3):
        found, _ = job_queries.page(agent.actor.workspace, number=1, size=10)
        jobs = [rows.job(row, base_url=AT) for row in found]
    assert [len(job.results) for job in jobs] == [1] * count


async def test_a_result_has_a_link_and_a_small_preview(agent: Agent) -> None:
    image = await in_thread(complete, agent, width=1024, height=768)
    answer = await agent.ask("geteditresult", id=str(image.job_id))
    assert answer.data["status"] == "Ready"
    (picture,) = answer.pictures
    assert picture.url.startswith(f"{AT}/i/")
    assert (picture.content_type, picture.size) == ("image/png", image.size)
    assert picture.preview.startswith(b"RIFF")
    assert len(picture.preview) < 100 * 1024
    (job,) = (await agent.ask("list_jobs", status="completed")).data["jobs"]
    assert job["results"][0] | {"url": picture.url} == job["results"][0]
    assert (job["results"][0]["image_id"], job["seed"], job["note"]) == (str(image.id), 7, None)


async def test_a_large_preview_is_reduced_or_omitted(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    image = await in_thread(complete, agent, width=1024, height=768)
    usual = (await agent.ask("geteditresult", id=str(image.job_id))).pictures[0].preview
    monkeypatch.setattr(rows, "LARGEST_PREVIEW", len(usual) - 1)
    assert len((await agent.ask("geteditresult", id=str(image.job_id))).pictures[0].preview) < len(usual)
    monkeypatch.setattr(rows, "LARGEST_PREVIEW", 0)
    assert (await agent.ask("geteditresult", id=str(image.job_id))).pictures[0].preview == b""


async def test_canceling_refunds_the_job_and_works_only_once(agent: Agent) -> None:
    job = await in_thread(submit, agent)
    answer = await agent.ask("cancel_job", job_id=str(job.id))
    assert (answer.data["status"], answer.data["credits"]) == ("canceled", 0)
    assert (await agent.ask("estimate_credits")).data["available_credits"] == 100
    with pytest.raises(Conflict):
        await agent.ask("cancel_job", job_id=str(job.id))


async def test_each_tool_requires_its_scope(with_scope: Callable[[str], Agent]) -> None:
    reader = await in_thread(with_scope, scopes.READ)
    writer = await in_thread(with_scope, scopes.WRITE)
    await reader.ask("list_models")
    await reader.ask("list_jobs")
    await reader.ask("estimate_credits")
    job_id = str((await in_thread(submit, writer)).id)
    await reader.ask("geteditresult", id=job_id)
    with pytest.raises(PermissionDenied):
        await reader.ask("cancel_job", job_id=job_id)
    for tool in ("list_models", "list_jobs", "estimate_credits"):
        with pytest.raises(PermissionDenied, match=scopes.READ):
            await writer.ask(tool)
    with pytest.raises(PermissionDenied):
        await writer.ask("geteditresult", id=job_id)
    await writer.ask("cancel_job", job_id=job_id)
