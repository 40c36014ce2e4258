"""Requests that become jobs, retries, streams, and jobs that do not end in time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from PIL import Image as Picture

from editor.compat.openai import answers
from editor.concurrency.threads import in_thread
from editor.engine import waiting
from editor.media import store
from editor.models import Image, Job, JobImage
from editor.operations import api_keys, outcomes
from tests.compat.openai.calls import PICTURE, edit, error, generate, rows
from tests.factories import make_actor, photo
from tests.media.test_masks import png


@pytest.mark.parametrize("name", ["image", "image[]", "image[0]"])
async def test_images_keep_their_order_and_the_mask_is_inverted(client: httpx.AsyncClient, name: str) -> None:
    mask = Picture.new("RGBA", (96, 64), (9, 9, 9, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 48, 64))
    await edit(
        client,
        ("mask", ("m.png", png(mask), "image/png")),
        *(
            (name, (f"{n}.png", photo(colour=colour), "image/png"))
            for n, colour in enumerate(("red", "blue"))
        ),
        model="openai/gpt-image-2.6-flare",
    )
    (job,) = await rows(Job)

    def rendered() -> list[tuple[str, str]]:
        places = JobImage.objects.filter(job=job).select_related("image").order_by("position")
        return [(place.role, place.image.original_name) for place in places]

    places = await in_thread(rendered)
    assert [name for _, name in places[:2]] == ["0.png", "1.png"]
    assert places[2][0] == JobImage.Role.MASK

    def stored() -> list[Any]:
        image = JobImage.objects.select_related("image").get(job=job, role=JobImage.Role.MASK).image
        with Picture.open(BytesIO(store.read(image.storage_name))) as ours:
            return [ours.getpixel((0, 0)), ours.getpixel((95, 0))]

    assert await in_thread(stored) == [255, 0]


async def test_a_form_may_be_sent_in_chunks(client: httpx.AsyncClient) -> None:
    built = client.build_request("POST", "images/edits", data={"prompt": "blue"}, files=[PICTURE])

    async def chunks() -> AsyncIterator[bytes]:
        yield built.read()

    answer = await client.post(
        "images/edits", content=chunks(), headers={"content-type": built.headers["content-type"]}
    )
    assert answer.status_code == 504, answer.text


@pytest.mark.parametrize("charset", ["hex", "utf-16", "idna", "no-such"])
async def test_a_form_is_utf_8_regardless_of_its_charset(client: httpx.AsyncClient, charset: str) -> None:
    built = client.build_request("POST", "images/edits", data={"prompt": "blau, schön"}, files=[PICTURE])
    headers = {"content-type": f"{built.headers['content-type']}; charset={charset}"}
    answer = await client.post("images/edits", content=built.read(), headers=headers)
    assert answer.status_code == 504, answer.text
    (job,) = await rows(Job)
    assert job.prompt == "blau, schön"


async def test_a_job_that_takes_too_long_goes_on_and_the_error_names_it(client: httpx.AsyncClient) -> None:
    answer = await generate(client)
    (job,) = await rows(Job)
    assert error(answer) == (504, "timeout", None)
    assert str(job.id) in answer.json()["error"]["message"]
    assert answer.headers["x-should-retry"] == "false"
    assert job.is_live


async def test_the_same_idempotency_key_returns_the_same_job(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    for _ in range(2):
        answer = await edit(client, PICTURE, headers=headers)
        # It may be retried: a retry waits for the existing job.
        assert (answer.status_code, answer.headers.get("x-should-retry")) == (504, None)
    assert len(await rows(Job)) == 1
    assert len(await rows(Image)) == 1
    other = await edit(client, PICTURE, prompt="red", headers=headers)
    assert error(other)[0] == 422
    assert error(await generate(client, headers=headers))[0] == 422
    assert error(await generate(client, headers={"idempotency-key": "k" * 81}))[0] == 400


async def test_a_repeated_request_of_a_failed_job_is_not_to_be_retried(client: httpx.AsyncClient) -> None:
    headers = {"idempotency-key": "k-1"}
    await generate(client, headers=headers)
    (job,) = await rows(Job)
    await in_thread(outcomes.end_failed, job=job, code="unavailable", message="Away.")
    answer = await generate(client, headers=headers)
    assert (answer.status_code, answer.headers["x-should-retry"]) == (503, "false")


async def test_a_clients_retry_returns_the_same_job(client: httpx.AsyncClient) -> None:
    first, again = {"x-stainless-retry-count": "0"}, {"x-stainless-retry-count": "1"}
    assert "x-should-retry" not in (await edit(client, PICTURE, headers=first)).headers
    await edit(client, PICTURE, headers=again)
    assert len(await rows(Job)) == 1
    await edit(client, PICTURE, prompt="red", headers=again)
    await edit(client, PICTURE, headers=first)
    assert len(await rows(Job)) == 3


async def test_a_retry_after_a_failure_makes_a_new_job(client: httpx.AsyncClient) -> None:
    await generate(client)
    (job,) = await rows(Job)
    await in_thread(outcomes.end_failed, job=job, code="unavailable", message="Away.")
    await generate(client, headers={"x-stainless-retry-count": "1"})
    assert len(await rows(Job)) == 2


async def test_idempotency_keys_are_per_workspace(client: httpx.AsyncClient) -> None:
    def other() -> str:
        return api_keys.create(actor=make_actor(name="Rivals"), name="script")[1]

    key = await in_thread(other)
    headers = {"idempotency-key": "k-1"}
    await generate(client, headers=headers)
    await generate(client, headers=headers | {"authorization": f"Bearer {key}"})
    assert len({job.workspace_id for job in await rows(Job)}) == 2


async def test_a_quiet_stream_is_kept_open_and_reports_a_failure(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "QUIET", 0.02)
    await generate(client)
    (job,) = await rows(Job)
    stream = answers.events(job, kind="image_generation")
    assert await anext(stream) == b": still at work\n\n"
    await in_thread(outcomes.end_failed, job=job, code="moderated", message="No.")
    last = [part async for part in stream if not part.startswith(b":")]
    name, data = last[0].decode().strip().split("\n")
    assert (len(last), name) == (1, "event: error")
    assert json.loads(data.removeprefix("data: "))["error"]["code"] == "moderation_blocked"


async def test_a_stream_ends_when_the_portal_stops(client: httpx.AsyncClient) -> None:
    await generate(client)
    (job,) = await rows(Job)
    stream = answers.events(job, kind="image_generation")
    waiting.let_go()
    parts = [part async for part in stream]
    assert b"still running" in parts[-1]


async def test_a_refused_stream_is_an_error_response(client: httpx.AsyncClient) -> None:
    assert error(await generate(client, stream=True, n=2)) == (400, "invalid_value", "n")
