"""A job's events, requested from a given event on."""

from __future__ import annotations

import httpx
import pytest


@pytest.mark.parametrize("last", ["", "x", "-1", "²", "9" * 18, "9" * 19, "9" * 5000])
async def test_an_unknown_event_id_is_not_an_error(client: httpx.AsyncClient, last: str) -> None:
    edit = {"prompt": "a quiet harbour", "model_tier": "standard", "async": True}
    job_id = (await client.post("process", json=edit)).json()["data"]["job_id"]
    await client.post(f"jobs/{job_id}/cancel")
    answer = await client.get(f"jobs/{job_id}/events", headers=[(b"last-event-id", last.encode())])
    assert answer.status_code == 200
    assert "event: canceled\n" in answer.text
