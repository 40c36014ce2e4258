"""Submitting a task in the tests of this folder."""

from __future__ import annotations

from typing import Any

import httpx

EDIT = {"prompt": "make it blue"}


async def submitted(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    answer = await client.post("/v1/flux-kontext-pro", json=EDIT | fields)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())
