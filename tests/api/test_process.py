"""What /process takes, and how long it holds a call."""

from __future__ import annotations

import httpx
import pytest

from editor.api import process
from editor.api.door import PATH

EDIT = {"prompt": "a quiet harbour", "model_tier": "standard"}


def test_the_longest_hold_is_the_documents() -> None:
    assert process.LONGEST_HOLD == 300


async def test_after_the_longest_hold_the_job_is_told_as_it_stands(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "LONGEST_HOLD", 0.2)
    answer = await client.post("process", json=EDIT)
    assert answer.status_code == 202, answer.text
    job = answer.json()["data"]
    assert job["status"] == "pending"
    assert answer.headers["location"] == f"{PATH}jobs/{job['job_id']}"
    assert (await client.get(f"jobs/{job['job_id']}")).json() == answer.json()
