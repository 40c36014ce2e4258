"""What /process accepts, and how long it holds a call."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pytest_django import Settings

from editor.api import schemas
from editor.api.profile import PATH
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.models import Job
from editor.queries import jobs as job_queries

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}


def test_the_longest_hold_is_the_documents(settings: Settings) -> None:
    assert settings.HOLD_SECONDS == 300


async def test_after_the_longest_hold_the_job_is_reported_as_it_stands(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    settings.HOLD_SECONDS = 0.2
    answer = await client.post("process", json=EDIT)
    assert answer.status_code == 202, answer.text
    job = answer.json()["data"]
    assert job["status"] == "pending"
    assert answer.headers["location"] == f"{PATH}jobs/{job['job_id']}"
    assert (await client.get(f"jobs/{job['job_id']}")).json() == answer.json()


@pytest.mark.parametrize(
    ("prefer", "at_once"),
    [
        ("respond-async", True),
        ("Respond-Async", True),
        ("return=minimal, respond-async; wait=10", True),
        ("not-respond-async", False),
        ("return=minimal", False),
    ],
)
async def test_a_prefer_header_is_parsed_by_tokens(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, prefer: str, at_once: bool
) -> None:
    held = []

    async def until_ended(job: Job, **more: Any) -> Job:
        held.append(job)
        return await in_thread(job_queries.read, job.id)

    monkeypatch.setattr(waiting, "until_ended", until_ended)
    answer = await client.post("process", json=EDIT, headers={"prefer": prefer})
    assert answer.status_code == 202
    assert held == [] if at_once else len(held) == 1


OPTIONAL = [name for name, field in schemas.ProcessIn.model_fields.items() if not field.is_required()]


@pytest.mark.parametrize("blank", [None, ""])
async def test_null_and_empty_text_mean_absent(client: httpx.AsyncClient, blank: str | None) -> None:
    """As clients send that fill in a form, whatever is in it."""
    blanks = dict.fromkeys({*OPTIONAL, "async"} - {"asynchronous", "model_tier"}, blank)
    answers = [
        await client.post("process", json={**EDIT, **more}, headers={"prefer": "respond-async"})
        for more in ({}, blanks)
    ]
    assert [answer.status_code for answer in answers] == [202, 202], answers[1].text
    bare, filled = [answer.json()["data"] for answer in answers]
    own = {"job_id", "created_at"}
    assert {**filled, **{name: bare[name] for name in own}} == bare


@pytest.mark.parametrize("blank", [None, ""])
@pytest.mark.parametrize("name", ["prompt", "model_tier"])
async def test_a_required_field_must_not_be_blank(
    client: httpx.AsyncClient, name: str, blank: str | None
) -> None:
    answer = await client.post("process", json={**EDIT, name: blank})
    assert (answer.status_code, answer.json()["success"]) == (400, False)
