"""Edits over a limit through the public API: asked for, followed, and answered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from asgiref.sync import sync_to_async

from editor.api.profile import PATH, PROFILE
from editor.concurrency.threads import in_thread
from editor.gateway.handler import ProgramHandler
from editor.gateway.middleware import GatewayMiddleware
from editor.models import Job
from editor.operations import api_keys, approvals
from tests.approvals import PRICE, Team, make_team

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}
ASKED = {**EDIT, "approval": "request", "approval_message": "The client wants to see it tonight."}


@pytest.fixture
def team(committed: None) -> Team:
    return make_team()


@pytest.fixture
async def client(team: Team) -> AsyncIterator[httpx.AsyncClient]:
    """With a key of the editor, whose cap allows no edit."""
    key = (await in_thread(api_keys.create, actor=team.editor, name="script"))[1]
    transport = httpx.ASGITransport(app=GatewayMiddleware(ProgramHandler(), PROFILE))
    headers = {"authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(
        transport=transport, base_url=f"http://localhost{PATH}", headers=headers
    ) as client:
        yield client


async def ask(client: httpx.AsyncClient, **headers: str) -> dict[str, Any]:
    """Without waiting, though the call is not `async`."""
    answer = await client.post("process", json=ASKED, headers=headers)
    assert answer.status_code == 202, answer.text
    job: dict[str, Any] = answer.json()["data"]
    assert answer.headers["location"] == f"{PATH}jobs/{job['job_id']}"
    return job


async def found(client: httpx.AsyncClient, job: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = (await client.get(f"jobs/{job['job_id']}")).json()["data"]
    return data


async def test_it_is_refused_unless_an_approval_is_requested(client: httpx.AsyncClient) -> None:
    answer = await client.post("process", json=EDIT)
    assert answer.status_code == 402
    assert "with `approval` set to `request`" in answer.json()["error"]
    assert (await client.post("process", json={**EDIT, "approval": "granted"})).status_code == 400


async def test_it_is_pending_with_its_approval_until_it_is_approved(
    client: httpx.AsyncClient, team: Team
) -> None:
    job = await ask(client)
    assert (job["status"], job["credits_held"]) == ("pending", 0)
    approval = job["approval"]
    assert approval["state"] == "waiting"
    assert (approval["limit"], approval["allowed"], approval["used"]) == ("member_month", 0, 0)
    assert (approval["price"], approval["message"]) == (PRICE, ASKED["approval_message"])
    assert await found(client, job) == job
    for status, listed in (("pending", [job]), ("processing", [])):
        assert (await client.get("jobs", params={"status": status})).json()["data"] == listed
    row = await sync_to_async(Job.objects.get)(pk=job["job_id"])
    await in_thread(approvals.approve, actor=team.admin, job=row, price=PRICE)
    after = await found(client, job)
    assert (after["status"], after["credits_held"], after["approval"]["state"]) == (
        "pending",
        PRICE,
        "granted",
    )


async def test_a_declined_one_failed_with_the_reason(client: httpx.AsyncClient, team: Team) -> None:
    job = await ask(client, **{"idempotency-key": "one"})
    assert await ask(client, **{"idempotency-key": "one"}) == job
    row = await sync_to_async(Job.objects.get)(pk=job["job_id"])
    await in_thread(approvals.decline, actor=team.admin, job=row, reason="Too expensive")
    after = await found(client, job)
    assert (after["status"], after["error_code"]) == ("failed", "approval_declined")
    assert (after["approval"]["state"], after["approval"]["reason"]) == ("declined", "Too expensive")
    again = await client.post("process", json=ASKED, headers={"idempotency-key": "one"})
    assert (again.status_code, again.json()["code"]) == (403, "approval_declined")
    assert again.json()["error"].endswith("declined it: Too expensive Nothing was charged.")


async def test_canceling_withdraws_it_and_its_events_end(client: httpx.AsyncClient) -> None:
    job = await ask(client)
    canceled = (await client.post(f"jobs/{job['job_id']}/cancel")).json()["data"]
    assert (canceled["status"], canceled["approval"]["state"]) == ("canceled", "withdrawn")
    events = (await client.get(f"jobs/{job['job_id']}/events")).text
    assert "event: task_cancel" in events
    assert events.rstrip().rpartition("event: ")[2].startswith("canceled")


async def test_a_message_has_at_most_300_characters(client: httpx.AsyncClient) -> None:
    answer = await client.post("process", json={**ASKED, "approval_message": "x" * 301})
    assert answer.status_code == 400
    assert set(answer.json()["fields"]) == {"approval_message"}
