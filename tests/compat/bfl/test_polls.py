"""Polling a task with its signed polling URL or with a key of the workspace."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import httpx
import pytest

from editor.access.actor import Actor
from editor.compat.bfl import polling
from editor.concurrency.threads import in_thread
from editor.models import Job
from editor.operations import jobs
from tests.compat.bfl.calls import submitted
from tests.factories import make_actor, make_workspace


async def test_the_polling_url_needs_no_key(client: httpx.AsyncClient) -> None:
    rendered = await submitted(client)
    del client.headers["x-key"]
    answer = await client.get(rendered["polling_url"])
    assert answer.status_code == 200
    assert (answer.json()["id"], answer.json()["status"]) == (rendered["id"], "Pending")
    assert int(answer.headers["x-ratelimit-limit"]) == 600


async def test_the_polling_url_with_a_key_counts_as_a_poll_of_the_workspace(
    client: httpx.AsyncClient,
) -> None:
    rendered = await submitted(client)
    answer = await client.get(rendered["polling_url"])
    assert (answer.status_code, int(answer.headers["x-ratelimit-limit"])) == (200, 1200)


async def test_a_key_needs_no_signature(client: httpx.AsyncClient) -> None:
    rendered = await submitted(client)
    answer = await client.get("/v1/get_result", params={"id": rendered["id"]})
    assert (answer.status_code, answer.json()["status"]) == (200, "Pending")


async def test_a_tampered_polling_url_needs_a_key(client: httpx.AsyncClient) -> None:
    one, other = await submitted(client), await submitted(client)
    del client.headers["x-key"]
    for url in (
        one["polling_url"].partition("&")[0],
        one["polling_url"] + "x",
        one["polling_url"].replace(one["id"], other["id"]),
        one["polling_url"] + "&id=",
        one["polling_url"] + "&signature=",
        one["polling_url"] + "&x=" * 2000,
        f"/v1/get_result?{'x=1&' * 200}",
        "/v1/get_result",
    ):
        answer = await client.get(url)
        assert (answer.status_code, answer.json()) == (403, {"detail": "Not authenticated"}), url


async def test_a_polling_url_expires(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    rendered = await submitted(client)
    del client.headers["x-key"]
    monkeypatch.setattr(polling, "LIFE", timedelta(seconds=-1))
    assert (await client.get(rendered["polling_url"])).status_code == 403


@pytest.mark.parametrize("task", ["", "x", "é", "\0", "00000000-0000-4000-8000-000000000000", "x" * 5000])
async def test_an_unknown_task_is_not_found(client: httpx.AsyncClient, task: str) -> None:
    answer = await client.get("/v1/get_result", params={"id": task})
    assert answer.status_code == 404
    assert (answer.json()["id"], answer.json()["status"]) == (task, "Task not found")


async def test_another_workspaces_task_is_not_found(client: httpx.AsyncClient) -> None:
    def foreign() -> str:
        other = make_actor(make_workspace(name="Other"))
        return str(jobs.submit(actor=other, request=jobs.NewEdit(prompt="x")).id)

    task = await in_thread(foreign)
    answer = await client.get("/v1/get_result", params={"id": task})
    assert (answer.status_code, answer.json()["status"]) == (404, "Task not found")


async def test_a_deleted_task_is_not_found_at_its_polling_url(client: httpx.AsyncClient) -> None:
    url = polling.address(UUID(int=1), base_url="")
    del client.headers["x-key"]
    assert (await client.get(url)).status_code == 404


async def test_the_task_id_is_required(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/get_result")
    assert answer.status_code == 422
    assert answer.json()["detail"][0]["loc"] == ["query", "id"]


async def test_a_canceled_task_is_an_error_with_details(client: httpx.AsyncClient, actor: Actor) -> None:
    rendered = await submitted(client)

    def cancel() -> None:
        jobs.cancel(actor=actor, job=Job.objects.get())

    await in_thread(cancel)
    answer = await client.get(rendered["polling_url"])
    assert (answer.status_code, answer.json()["status"]) == (200, "Error")
    assert answer.json()["details"]["code"] == "canceled"
