"""Tasks and models over HTTP, and their errors."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import httpx
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from editor.access import task_tokens
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.models import CreditAccount, Image, Job
from editor.operations import api_keys, jobs
from editor.operations.jobs import NewEdit
from editor.queries import jobs as job_queries
from editor.representations import wiro
from tests.compat.wiro.runs import run
from tests.factories import make_actor, make_image

UNKNOWN_TASK = [{"code": 1, "message": "There is no task yet."}]


@pytest.mark.parametrize("path", ["Task/Detail", "Task/Cancel", "Task/Kill"])
@pytest.mark.parametrize("name", ["taskid", "tasktoken", "socketaccesstoken"])
async def test_a_task_is_found_by_id_or_either_token(ask: Any, path: str, name: str) -> None:
    job = await run(ask)
    number: Any = str(job.number)
    for value in [number, job.number] if name == "taskid" else [task_tokens.make(job.id)]:
        if path == "Task/Detail" or value is number or name != "taskid":
            (task,) = (await ask(path, **{name: value}))["tasklist"]
            assert task["id"] == number
            assert task["status"] == ("task_queue" if path == "Task/Detail" else "task_cancel")


@pytest.mark.parametrize("path", ["Task/Detail", "Task/Cancel", "Task/Kill", "Task/InputOutputDelete"])
async def test_a_task_of_another_workspace_is_unknown(ask: Any, path: str) -> None:
    def rival() -> Job:
        return jobs.submit(actor=make_actor(name="Rivals"), request=NewEdit(prompt="a harbour"))

    job = await in_thread(rival)
    expected = UNKNOWN_TASK
    if path.endswith("Delete"):
        expected = [{"code": 1, "message": "task-not-exist"}]
    for named in (
        {"taskid": str(job.number)},
        {"tasktoken": task_tokens.make(job.id)},
        {"taskid": "999999"},
        {"tasktoken": "a" * 30},
        {"socketaccesstoken": "9" * 40},
    ):
        assert (await ask(path, **named))["errors"] == expected
    await in_thread(job.refresh_from_db)
    assert job.is_live and job.cancel_requested_at is None


@pytest.mark.parametrize("path", ["Task/Detail", "Task/Cancel", "Task/Kill"])
async def test_a_missing_task_id_is_reported_as_wiro_does(ask: Any, path: str) -> None:
    for fields in ({}, {"taskid": ""}, {"taskid": None}, {"taskid": True}, {"tasktoken": ["x"]}):
        answer = await ask(path, **fields)
        assert answer["errors"] == [{"code": 0, "message": "taskid or socketaccesstoken is required"}]


async def test_canceling_a_task_refunds_its_credits(ask: Any, actor: Actor) -> None:
    job = await run(ask)
    (task,) = (await ask("Task/Cancel", taskid=str(job.number)))["tasklist"]
    assert (task["status"], task["pexit"], task["totalcost"], task["outputs"]) == ("task_cancel", "", "0", [])
    assert int(task["canceltime"]) > 0
    account = await in_thread(lambda: CreditAccount.objects.get(workspace=actor.workspace))
    assert (account.balance, account.held) == (100, 0)


async def test_a_failed_task_has_an_exit_code_and_an_error(ask: Any) -> None:
    job = await run(ask, prompt="[fail] make it black and white")
    await execution.run(job.id)
    (task,) = (await ask("Task/Detail", taskid=str(job.number)))["tasklist"]
    assert (task["status"], task["pexit"]) == ("task_postprocess_end", "1")
    assert (task["outputs"], task["totalcost"], task["size"]) == ([], "0", "0")
    assert task["debugerror"]


async def test_a_completed_task_has_its_outputs_and_its_cost(ask: Any, actor: Actor) -> None:
    image = await in_thread(make_image, actor)
    link = (await in_thread(wiro.upload, image, base_url="http://localhost"))["list"][0]["url"]
    job = await run(ask, inputImage=link)
    await execution.run(job.id)
    (task,) = (await ask("Task/Detail", taskid=str(job.number)))["tasklist"]
    assert (task["status"], task["pexit"], task["totalcost"]) == (
        "task_postprocess_end",
        "0",
        "0.060000000000",
    )
    assert task["parameters"]["inputImage"] == link
    (output,) = task["outputs"]
    assert (output["name"], output["contenttype"], output["ispublic"]) == ("0.png", "image/png", 0)
    assert output["url"] == f"http://localhost/i/{output['accesskey']}"


async def test_the_number_of_queries_does_not_depend_on_the_number_of_tasks(ask: Any, actor: Actor) -> None:
    async def queries(count: int) -> int:
        def rendered() -> int:
            with CaptureQueriesContext(connection) as captured:
                found, total = job_queries.page_with_everything(actor.workspace, start=0, size=50)
                wiro.tasks(found, base_url="")
            assert (len(found), total) == (count, count)
            return len(captured)

        return await in_thread(rendered)

    image = await in_thread(make_image, actor)
    link = (await in_thread(wiro.upload, image, base_url="http://localhost"))["list"][0]["url"]
    await execution.run((await run(ask, inputImage=link)).id)
    few = await queries(1)
    for _ in range(4):
        await execution.run((await run(ask, inputImage=link)).id)
    assert await queries(5) == few


async def test_tasks_are_listed_page_by_page(ask: Any) -> None:
    numbers = [str((await run(ask)).number) for _ in range(3)]
    answer = await ask("Task/List", type="model", sort="id", order="DESC", start="0", limit="2")
    assert answer["total"] == "3"
    assert [task["id"] for task in answer["tasklist"]] == [numbers[2], numbers[1]]
    rest = await ask("Task/List", start=2, limit=2)
    assert [task["id"] for task in rest["tasklist"]] == numbers[:1]
    first = await ask("Task/List", order="ASC", limit="1")
    assert [task["id"] for task in first["tasklist"]] == numbers[:1]
    assert (await ask("Task/List", modelName="flux-2-pro"))["total"] == "3"
    assert (await ask("Task/List", modelName="flux-kontext-pro"))["total"] == "0"
    assert (await ask("Task/List", modelName="nothing"))["tasklist"] == []
    answer = await ask("Task/List", start="x")
    assert answer["errors"] == [{"code": 0, "message": "Request parameter [start] must be integer or float"}]


async def test_deleting_files_of_an_ended_task_moves_them_to_the_trash(ask: Any, actor: Actor) -> None:
    own, shared = [await in_thread(make_image, actor) for _ in range(2)]
    urls = [wiro.upload(image, base_url="http://localhost")["list"][0]["url"] for image in (own, shared)]
    job = await run(ask, inputImage=urls)
    await run(ask, inputImage=urls[1])
    token = task_tokens.make(job.id)
    early = await ask("Task/InputOutputDelete", tasktoken=token)
    assert early["errors"][0]["message"] == "Task must be completed or cancelled before deleting files"
    await execution.run(job.id)
    for _ in range(2):
        assert await ask("Task/InputOutputDelete", tasktoken=token) == {"result": True, "errors": []}

    def trashed() -> set[UUID]:
        return set(Image.objects.exclude(trashed_at=None).values_list("id", flat=True))

    result = await in_thread(lambda: job.results.get().id)
    assert await in_thread(trashed) == {own.id, result}
    (task,) = (await ask("Task/Detail", tasktoken=token))["tasklist"]
    assert (task["outputs"], task["parameters"]["inputImage"]) == ([], urls[1])


async def test_models_are_reported_with_inputs_and_prices(ask: Any) -> None:
    (tool,) = (await ask("Tool/Detail", slugowner="Black-Forest-Labs", slugproject="FLUX-2-PRO"))["tool"]
    assert tool["dynamicprice"] == '[{"inputs": {}, "price": 0.06, "priceMethod": "cpr"}]'
    (group,) = tool["parameters"]
    inputs = {item["id"]: item for item in group["items"]}
    assert (inputs["inputImage"]["type"], inputs["inputImage"]["required"]) == ("combinefileinput", False)
    assert (inputs["prompt"]["required"], inputs["width"]["max"], inputs["width"]["step"]) == (True, 2048, 16)
    assert [option["value"] for option in inputs["outputFormat"]["options"]] == ["jpeg", "png"]
    unknown = await ask("Tool/Detail", slugowner="x", slugproject="y")
    assert unknown["errors"] == [{"code": 1, "message": "slug-owner-project-not-exist"}]


async def test_models_are_listed_and_searched(ask: Any) -> None:
    everything = await ask("Tool/List")
    assert everything["total"] == len(everything["tool"]) > 10
    found = await ask("Tool/List", search="flux kontext", start="0", limit="1")
    assert (len(found["tool"]), found["total"] > 1) == (1, True)
    assert "kontext" in found["tool"][0]["slugproject"]
    owned = await ask("Tool/List", slugowner="OpenAI")
    assert {tool["slugowner"] for tool in owned["tool"]} == {"openai"}
    explored = await ask("Tool/Explore")
    assert sum(len(group["tools"]) for group in explored["explore"]) == everything["total"]


async def test_a_member_who_may_no_longer_edit_is_refused(ask: Any, client: httpx.AsyncClient) -> None:
    viewer = await in_thread(make_actor, name="Other")
    _, bare = await in_thread(lambda: api_keys.create(actor=viewer, name="k"))
    await in_thread(lambda: viewer.workspace.memberships.update(access_image_editor=False))
    answer = await client.post("Task/List", json={}, headers={"x-api-key": bare})
    assert (answer.status_code, answer.json()["result"]) == (403, False)
