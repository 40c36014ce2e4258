"""The tools edit_image, editimagekontextpro and editimagekontextmax."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from editor.access import scopes
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.errors import EditorError, InsufficientCredits, InvalidInput, NotFound, PermissionDenied
from editor.models import Character, CharacterImage, CreditAccount, Image, Job, JobImage
from editor.operations import jobs
from tests.factories import make_actor, make_image, photo
from tests.mcp.conftest import AT, Agent
from tests.patience import PATIENCE, until

LONGEST_WAIT = 300
PICTURE = base64.b64encode(photo()).decode()


async def only_job(agent: Agent) -> Job:
    return await in_thread(Job.objects.get, workspace=agent.actor.workspace)


def nothing_happened(agent: Agent) -> bool:
    account = CreditAccount.objects.get(workspace=agent.actor.workspace)
    return not Job.objects.exists() and not Image.objects.exists() and account.balance == 100


async def until_waiting() -> None:
    """Wait until a call waits for its job."""
    await until(lambda: (listener := waiting._listeners.existing()) and listener.channel)


async def test_an_edit_without_waiting_returns_the_pending_job(agent: Agent) -> None:
    answer = await agent.ask("edit_image", prompt="a harbour", model_tier="pro", wait_seconds=0)
    job = await only_job(agent)
    assert (job.tier, job.prompt, job.channel) == ("pro", "a harbour", agent.actor.channel)
    assert answer.data["job_id"] == str(job.id)
    assert (answer.data["status"], answer.data["credits"]) == ("pending", job.price)
    assert "geteditresult" in answer.data["note"]
    assert agent.progress == [(0.01, 100, "Queued")]


async def test_a_wait_ends_with_the_job(agent: Agent) -> None:
    call = asyncio.create_task(agent.ask("edit_image", prompt="a harbour", wait_seconds=LONGEST_WAIT))
    await until_waiting()
    await in_thread(jobs.cancel, actor=agent.actor, job=await only_job(agent))
    with pytest.raises(EditorError) as refused:
        await asyncio.wait_for(call, PATIENCE)
    assert refused.value.code == "conflict"
    assert str((await only_job(agent)).id) in refused.value.message


async def test_a_stopping_portal_returns_the_pending_job(agent: Agent) -> None:
    call = asyncio.create_task(agent.ask("edit_image", prompt="a harbour", wait_seconds=LONGEST_WAIT))
    await until_waiting()
    waiting.let_go()
    answer = await asyncio.wait_for(call, PATIENCE)
    assert (answer.data["status"], answer.data["job_id"]) == ("pending", str((await only_job(agent)).id))


async def test_the_job_of_a_disconnected_caller_goes_on(agent: Agent) -> None:
    call = asyncio.create_task(agent.ask("edit_image", prompt="a harbour", wait_seconds=LONGEST_WAIT))
    await until_waiting()
    call.cancel()
    await asyncio.wait({call}, timeout=PATIENCE)
    assert call.cancelled()
    assert (await only_job(agent)).is_live
    assert not waiting._listeners.get().watches


async def test_images_may_be_base64_data_urls_or_ids_and_keep_their_order(agent: Agent) -> None:
    known = await in_thread(make_image, agent.actor)
    pictures = [str(known.id), PICTURE, f"data:image/png;base64,{PICTURE}"]
    model = "black-forest-labs/flux-2-pro"
    await agent.ask(
        "edit_image", prompt="harbour", images=pictures, mask=PICTURE, model=model, wait_seconds=0
    )
    places = await in_thread(lambda: list(JobImage.objects.order_by("position")))
    role = JobImage.Role
    assert [place.role for place in places] == [role.SOURCE, role.REFERENCE, role.REFERENCE, role.MASK]
    assert places[0].image_id == known.id


async def test_kontext_edits_have_bfls_defaults_and_response(agent: Agent) -> None:
    answer = await agent.ask("editimagekontextmax", prompt="a harbour", input_image=PICTURE, webhook_url=None)
    job = await only_job(agent)
    polling_url = f"{AT}/v1/get_result?id={job.id}"
    assert answer.data == {"id": str(job.id), "polling_url": polling_url, "cost": job.price}
    assert job.model == "black-forest-labs/flux-kontext-max"
    assert job.inputs == {
        "aspectRatio": "",
        "outputFormat": "png",
        "promptUpsampling": "false",
        "safetyTolerance": "2",
        "seed": None,
    }


async def test_kontext_edits_pass_their_fields_on(agent: Agent) -> None:
    fields = {"aspect_ratio": "16:9", "output_format": "jpeg", "prompt_upsampling": True, "seed": 7}
    await agent.ask("editimagekontextpro", prompt="a harbour", **fields)
    job = await only_job(agent)
    assert job.inputs == {
        "aspectRatio": "16:9",
        "outputFormat": "jpeg",
        "promptUpsampling": "true",
        "safetyTolerance": "2",
        "seed": 7,
    }


async def test_an_invalid_field_is_reported_by_its_bfl_name(agent: Agent) -> None:
    with pytest.raises(InvalidInput) as refused:
        await agent.ask("editimagekontextpro", prompt="a harbour", safety_tolerance=6, aspect_ratio="17:9")
    assert set(refused.value.fields) == {"safety_tolerance", "aspect_ratio"}
    assert "safety_tolerance: Choose one of: 2." in refused.value.message


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"prompt": ""},
        {"prompt": "  "},
        {"prompt": "x" * 10_001},
        {"prompt": "a\x00b"},
        {"prompt": "\ud800"},
        {"prompt": ["a harbour"]},
        {"model": "acme/best"},
        {"model_tier": "ultra"},
        {"model": "black-forest-labs/flux-2-pro", "model_tier": "pro"},
        {"provider": "acme"},
        {"parameters": {"samples": 5}},
        {"parameters": {"no": "such"}},
        {"images": ["not base64!"]},
        {"images": ["aGVsbG8="]},
        {"images": ["data:image/png;base64"]},
        {"images": [""]},
        {"images": ["http://127.0.0.1/cat.png"]},
        {"images": ["https://127.0.0.1/cat.png"]},
        {"images": [PICTURE], "parameters": {"no": "such"}},
        {"images": "x"},
        {"mask": "x"},
        {"style_id": "noir"},
        {"wait_seconds": -1},
        {"wait": 5},
    ],
)
async def test_an_invalid_edit_costs_nothing(agent: Agent, wrong: dict[str, Any]) -> None:
    parsed = {"prompt": "a harbour", "wait_seconds": 0, **wrong} if wrong else {}
    with pytest.raises(InvalidInput) as refused:
        await agent.ask("edit_image", **parsed)
    assert refused.value.message
    assert await in_thread(nothing_happened, agent)


async def test_many_unknown_fields_are_not_all_reported(agent: Agent) -> None:
    many = {f"wrong{number}": 1 for number in range(1_000)}
    for parsed in (many, {"parameters": many}):
        with pytest.raises(InvalidInput, match="At most") as refused:
            await agent.ask("edit_image", prompt="a harbour", **parsed)
        assert not refused.value.fields


async def test_images_are_not_opened_without_credits(committed: None) -> None:
    agent = await in_thread(lambda: Agent(make_actor(balance=1), scopes.EVERYTHING))
    with pytest.raises(InsufficientCredits):
        await agent.ask("edit_image", prompt="a harbour", images=["aGVsbG8="])


@pytest.mark.parametrize(
    "wrong",
    [
        {"images": [PICTURE] * 2, "model": "black-forest-labs/flux-kontext-max"},
        {"mask": PICTURE},
    ],
)
async def test_images_that_the_model_does_not_support_are_not_opened(
    agent: Agent, wrong: dict[str, Any]
) -> None:
    with pytest.raises(InvalidInput):
        await agent.ask("edit_image", prompt="a harbour", wait_seconds=0, **wrong)
    assert await in_thread(nothing_happened, agent)


async def test_images_of_the_character_count_towards_the_limit(agent: Agent) -> None:
    def character_with_two_images() -> Character:
        character = Character.objects.create(workspace=agent.actor.workspace, name="Ada")
        for position in (1, 2):
            CharacterImage.objects.create(
                character=character, image=make_image(agent.actor), position=position
            )
        return character

    character = await in_thread(character_with_two_images)
    with pytest.raises(InvalidInput, match="you sent 9"):
        await agent.ask(
            "edit_image",
            prompt="a harbour",
            model="black-forest-labs/flux-2-pro",
            images=[PICTURE] * 7,
            character_id=str(character.id),
        )
    assert await in_thread(Image.objects.count) == 2


async def test_images_of_other_workspaces_are_not_found(agent: Agent) -> None:
    foreign = await in_thread(lambda: make_image(make_actor()))
    for image_id in (str(foreign.id), str(uuid4())):
        with pytest.raises(NotFound):
            await agent.ask("edit_image", prompt="a harbour", images=[image_id])
        with pytest.raises(NotFound):
            await agent.ask("editimagekontextpro", prompt="a harbour", input_image=image_id)
    assert not await in_thread(Job.objects.exists)


@pytest.mark.parametrize("tool", ["edit_image", "editimagekontextpro", "editimagekontextmax"])
async def test_a_read_only_key_starts_no_edit(with_scope: Callable[[str], Agent], tool: str) -> None:
    reader = await in_thread(with_scope, scopes.READ)
    with pytest.raises(PermissionDenied, match=scopes.WRITE):
        await reader.ask(tool, prompt="a harbour")
    assert not await in_thread(Job.objects.exists)
