"""The endpoint for providers' callbacks: authentication, limits, and the wake-ups it publishes."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from channels.layers import get_channel_layer
from django.core import signing
from django.test import AsyncClient, Client

from editor import events
from editor.callbacks.middleware import LIMIT, OF_ONE_JOB
from editor.engine import requests, wakeups
from editor.gateway import body
from editor.gateway.body import IGNORED_BYTES
from editor.worker import runner
from imageeditor.asgi import application
from tests.patience import PATIENCE, until

JOB = uuid.uuid4()
LAST = uuid.uuid4()  # the job of the final wake-up

# No test here may use the database: without the fixture every query fails.


def address(provider: str = "bfl") -> str:
    return requests.callback_path(job_id=JOB, provider=provider)


class Reported:
    """The wake-ups that workers received."""

    def __init__(self) -> None:
        self.received: list[uuid.UUID] = []

    async def jobs(self) -> list[uuid.UUID]:
        """The jobs of all wake-ups so far."""
        await events.wake_up(LAST)
        await until(lambda: LAST in self.received)
        return [job for job in self.received if job != LAST]


@pytest.fixture
async def reported() -> AsyncIterator[Reported]:
    reported = Reported()
    layer = get_channel_layer()
    channel = await layer.new_channel()
    await layer.group_add(events.WORKERS, channel)

    async def listen() -> None:
        while True:
            reported.received.append(uuid.UUID((await layer.receive(channel))["job_id"]))

    listening = asyncio.create_task(listen())
    yield reported
    listening.cancel()
    await layer.group_discard(events.WORKERS, channel)


async def post(path: str, **options: Any) -> httpx.Response:
    """Post through the whole ASGI application, as a provider does."""
    transport = httpx.ASGITransport(app=application)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.post(path, **options)


@pytest.mark.parametrize("provider", ["bfl", "fal", "wiro", "kie"])
async def test_a_callback_at_its_url_is_published(reported: Reported, provider: str) -> None:
    response = await post(address(provider))
    assert (response.status_code, response.json()) == (200, {"ok": True})
    assert await reported.jobs() == [JOB]


@pytest.mark.parametrize(
    "token",
    [
        "x",
        str(JOB),
        signing.dumps(str(JOB)),
        signing.dumps("no id", salt="provider-callback:bfl"),
    ],
    ids=["nonsense", "an id", "another salt", "no id"],
)
async def test_an_invalid_token_is_not_found(reported: Reported, token: str) -> None:
    assert (await post(f"/callbacks/bfl/{token}/")).status_code == 404
    assert await reported.jobs() == []


async def test_a_callback_url_is_valid_only_for_its_provider(reported: Reported) -> None:
    assert (await post(address("fal").replace("/fal/", "/bfl/"))).status_code == 404
    assert await reported.jobs() == []


async def test_a_tampered_url_is_not_found(reported: Reported) -> None:
    changed = address()[:-2] + ("A" if address()[-2] != "A" else "B") + "/"
    assert (await post(changed)).status_code == 404
    assert await reported.jobs() == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"null", b'{"status": "Ready", "task_id": "1"}', b"\x00\xff" * 500, b"[" * 100_000],
    ids=["empty", "broken", "null", "usual", "binary", "deep"],
)
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data", "text/plain; charset=x"])
async def test_the_body_is_ignored(reported: Reported, body: bytes, kind: str) -> None:
    response = await post(address(), content=body, headers={"content-type": kind})
    assert response.status_code == 200
    assert await reported.jobs() == [JOB]


async def test_a_body_that_is_too_large_is_refused(reported: Reported) -> None:
    assert (await post(address(), content=b"x" * LIMIT)).status_code == 200
    assert (await post(address(), content=b"x" * (LIMIT + 1))).status_code == 413
    assert await reported.jobs() == [JOB]


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
async def test_only_post_is_allowed(reported: Reported, method: str) -> None:
    response = await getattr(AsyncClient(), method)(address())
    assert response.status_code == 405
    assert await reported.jobs() == []


def test_a_callback_needs_no_csrf_token_and_starts_no_session() -> None:
    response = Client(enforce_csrf_checks=True).post(address(), {}, content_type="application/json")
    assert response.status_code == 200
    assert response.cookies == {}
    assert "cookie" not in response.headers.get("vary", "").lower()


async def test_repeated_callbacks_all_succeed(reported: Reported) -> None:
    answers = await asyncio.gather(*(post(address()) for _ in range(100)))
    assert {answer.status_code for answer in answers} == {200}
    assert set(await reported.jobs()) == {JOB}


async def test_a_callback_ends_the_workers_wait_for_its_job() -> None:
    async with receiving():
        with wakeups.listening(JOB) as mine, wakeups.listening(uuid.uuid4()) as other:
            await post(address())
            assert await wakeups.wait(mine, PATIENCE)
            assert not other.is_set()


async def test_a_wakeup_for_a_job_of_another_worker_is_ignored() -> None:
    async with receiving():
        await post(requests.callback_path(job_id=uuid.uuid4(), provider="bfl"))
        with wakeups.listening(JOB) as mine:
            await post(address())
            assert await wakeups.wait(mine, PATIENCE)


async def test_the_receiver_of_wakeups_restarts_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "RESTART_AFTER", 0.01)
    async with receiving():
        layer = get_channel_layer()
        await layer.group_send(events.WORKERS, {"type": events.WAKE_UP, "job_id": "no id"})
        with wakeups.listening(JOB) as mine:
            async with asyncio.timeout(PATIENCE):
                while not await wakeups.wait(mine, 0.05):
                    await post(address())


@asynccontextmanager
async def receiving() -> AsyncIterator[None]:
    """Run the worker's receiver of wake-ups."""
    task = asyncio.create_task(runner._receive_wakeups())
    layer = get_channel_layer()
    try:
        await until(lambda: layer.groups.get(events.WORKERS))
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("path", ["/callbacks/bfl/forged/", "/callbacks/bfl/", "/callbacks/nosuch/x/y/"])
async def test_a_body_at_a_forged_url_is_not_read(reported: Reported, path: str) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 65536

    response = await post(path, content=endless())
    assert (response.status_code, response.headers["connection"]) == (404, "close")
    assert read <= IGNORED_BYTES // 65536
    assert await reported.jobs() == []


async def test_many_bodies_for_one_job_get_a_retry_after(
    reported: Reported, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body, "SLOT_SECONDS", 0.05)
    begun, go_on = asyncio.Queue[None](), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x"
        begun.put_nowait(None)
        await go_on.wait()
        yield b"x"

    first = [asyncio.create_task(post(address(), content=slow())) for _ in range(OF_ONE_JOB)]
    for _ in first:
        await begun.get()
    response = await post(address(), content=b"x")
    assert (response.status_code, response.headers["retry-after"]) == (503, "5")
    go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*first)} == {200}


async def test_a_stalled_body_times_out(reported: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "BODY_SECONDS", 0.05)
    monkeypatch.setattr(body, "IGNORED_SECONDS", 0)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    response = await post(address(), content=stalled())
    assert (response.status_code, response.json()["error"]) == (
        408,
        "The request body did not arrive in time.",
    )
    assert await reported.jobs() == []
