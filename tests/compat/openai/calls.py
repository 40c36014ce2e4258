"""Calls of the OpenAI-compatible API for tests."""

from __future__ import annotations

from typing import Any

import httpx

from editor.concurrency.threads import in_thread
from tests.factories import photo

FORM = {"content-type": "multipart/form-data; boundary=b"}
PICTURE = ("image", ("a.png", photo(), "image/png"))


async def generate(client: httpx.AsyncClient, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    return await client.post("images/generations", json={"prompt": "a chair", **fields}, headers=headers)


async def edit(client: httpx.AsyncClient, *files: Any, **fields: Any) -> httpx.Response:
    headers = fields.pop("headers", {})
    return await client.post(
        "images/edits", data={"prompt": "blue", **fields}, files=list(files), headers=headers
    )


def error(answer: httpx.Response) -> tuple[int, str | None, str | None]:
    found = answer.json()["error"]
    assert set(found) == {"message", "type", "param", "code"}
    return answer.status_code, found["code"], found["param"]


async def rows(model: Any) -> list[Any]:
    return await in_thread(lambda: list(model.objects.all()))
