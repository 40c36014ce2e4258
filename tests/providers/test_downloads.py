"""Providers that make more images than requested, or some of whose results cannot be fetched."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from editor.providers import downloads, http
from editor.providers.base import Account, EditRequest, ErrorKind, Provider, ProviderError, Result, Submitted
from editor.providers.fal.adapter import Fal
from editor.providers.http import Answer
from editor.providers.kie.adapter import Kie
from editor.providers.openai import answers as openai_answers
from editor.providers.wiro.adapter import Wiro
from tests.providers.edits import is_final, is_temporary
from tests.providers.hostile import Write, answers, hostile

PICTURE = answers(b"picture", content_type="image/png")
GONE = answers(b"", "404 Not Found")
FAILS = answers(b"", "503 Service Unavailable")
MADE, REQUESTED = 300, 2


@pytest.fixture(autouse=True)
def short_pauses(connections: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "DOWNLOAD_PAUSES", (0.01, 0.01))


def wiro_done(link: str) -> list[Any]:
    outputs = [{"url": link}] * MADE
    return [
        {"result": True, "tasklist": [{"status": "task_postprocess_end", "pexit": "0", "outputs": outputs}]}
    ]


def kie_done(link: str) -> list[Any]:
    return [
        {"code": 200, "data": {"state": "success", "resultJson": json.dumps({"resultUrls": [link] * MADE})}}
    ]


def fal_done(link: str) -> list[Any]:
    return [{"status": "COMPLETED"}, {"images": [{"url": link}] * MADE}]


@pytest.mark.parametrize(
    ("adapter", "done"),
    [(Wiro(), wiro_done), (Kie(), kie_done), (Fal(), fal_done)],
    ids=["wiro", "kie", "fal"],
)
async def test_only_as_many_results_are_fetched_as_were_requested(
    adapter: Provider, done: Callable[[str], list[Any]]
):
    count = len(done(""))

    async def reported(writer: Write) -> None:
        body = done(f"{server.url}/picture")[len(server.requests) - 1]
        await answers(json.dumps(body).encode())(writer)

    async with hostile(*[reported] * count, PICTURE) as server:
        request = EditRequest(
            job_id="job-1",
            tenant="1",
            model="any/model",
            target="flux-2/pro-image-to-image",
            prompt="blue",
            samples=REQUESTED,
            account=Account(base_url=server.url, key="key"),
        )
        state = {
            "token": "t",
            "seed": 1,
            "submitted_at": 0.0,
            "status_url": f"{server.url}/status",
            "response_url": f"{server.url}/response",
        }
        result = await adapter.poll(request, Submitted("task", state))

    assert isinstance(result, Result)
    assert len(result.images) == REQUESTED
    assert len(server.requests) == count + REQUESTED


def openai_answer(*items: object) -> Answer:
    return Answer(200, httpx.Headers(), json.dumps({"data": items}).encode())


GOOD, BAD = {"b64_json": base64.b64encode(b"picture").decode()}, {"b64_json": "?"}


def test_only_the_first_images_of_a_response_with_too_many_are_read():
    assert len(openai_answers.result(openai_answer(*[GOOD] * MADE), most=REQUESTED).images) == REQUESTED
    assert (
        len(openai_answers.result(openai_answer(GOOD, GOOD, "never looked at"), most=REQUESTED).images)
        == REQUESTED
    )


def test_an_unreadable_image_does_not_lose_the_others():
    result = openai_answers.result(openai_answer(BAD, GOOD), most=2)
    assert [image.content for image in result.images] == [b"picture"]


@pytest.mark.parametrize(("bad", "requested"), [(GONE, 1), (FAILS, 3)], ids=["gone", "fails"])
async def test_a_result_that_cannot_be_fetched_does_not_lose_the_others(bad: Any, requested: int):
    async with hostile(*[bad] * requested, PICTURE) as server:
        images = await downloads.fetch_all("bfl", [server.url, server.url])

    assert [image.content for image in images] == [b"picture"]


async def test_the_reason_is_reported_when_no_result_can_be_fetched():
    async with hostile(GONE) as server:
        with pytest.raises(ProviderError) as caught:
            await downloads.fetch_all("bfl", [server.url, server.url])
    assert is_final(caught.value, ErrorKind.UNAVAILABLE)


async def test_all_results_are_requested_again_when_one_may_come_later():
    async with hostile(GONE, FAILS) as server:
        with pytest.raises(ProviderError) as caught:
            await downloads.fetch_all("bfl", [server.url, server.url])
    assert is_temporary(caught.value)
