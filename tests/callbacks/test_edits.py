"""Edits with provider callbacks: the URL is sent with the edit, and a callback ends the wait."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest
from channels.layers import get_channel_layer
from django.test import AsyncClient
from pytest_django import Settings

from editor import events
from editor.concurrency.threads import in_thread
from editor.engine import execution, poll_schedule, polling, requests, wakeups
from editor.models import Job, Status
from editor.net import policy
from editor.operations import jobs
from editor.providers import http, registry
from editor.worker import runner
from tests.emulators.base import Emulator
from tests.emulators.bfl import Bfl
from tests.emulators.fal import Fal
from tests.emulators.kie import Kie
from tests.emulators.wiro import Wiro
from tests.factories import make_actor
from tests.patience import PATIENCE, until, wait_until

pytestmark = pytest.mark.usefixtures("committed")

KONTEXT = "black-forest-labs/flux-kontext-pro"
# Nothing listens there: the tests check the URL that the provider was given, not the provider's calls.
PORTAL = "https://127.0.0.1:1"
HOUR = 3600.0


@pytest.fixture(autouse=True)
def loopback_allowed() -> Iterator[None]:
    policy.allow(["127.0.0.0/8"])
    yield
    policy.allow([])


@pytest.fixture
def public(settings: Settings) -> None:
    settings.HTTPS, settings.BASE_URL = True, PORTAL


@pytest.fixture(params=[Bfl, Fal, Wiro, Kie], ids=lambda emulator: emulator.name)
def emulator(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Emulator]:
    with request.param(longest_side=64) as started:
        serve(started, settings)
        yield started
        wait_for_all_callbacks(started)


@pytest.fixture
def bfl(settings: Settings) -> Iterator[Bfl]:
    with Bfl(longest_side=64) as started:
        serve(started, settings)
        yield started
        wait_for_all_callbacks(started)


def wait_for_all_callbacks(emulator: Emulator) -> None:
    """Wait for all its attempts to call back: stopped in the middle, the emulator would log errors."""
    reported = [task for task in emulator.tasks if task.callback and task.seconds < HOUR]
    tries = (1 + len(emulator.callback_waits)) * len(reported)
    wait_until(lambda: len(emulator.callbacks) >= tries, f"{tries} tries to call back")


def serve(emulator: Emulator, settings: Settings) -> None:
    secret = getattr(emulator, "secret", None) or ""
    account = {"base_url": emulator.url, "key": emulator.key, "secret": secret}
    settings.PROVIDERS = {**settings.PROVIDERS, emulator.name: account}


def submit() -> Job:
    return jobs.submit(
        actor=make_actor(balance=20), request=jobs.NewEdit(prompt="a quiet harbour", model=KONTEXT)
    )


@asynccontextmanager
async def running(job: Job) -> AsyncIterator[asyncio.Task[None]]:
    """Run the job as a worker that receives wake-ups."""
    receiving = asyncio.create_task(runner._receive_wakeups())
    await until(lambda: get_channel_layer().groups.get(events.WORKERS))
    work = asyncio.create_task(execution.run(job.id))
    try:
        yield work
    finally:
        for task in (receiving, work):
            task.cancel()
        await asyncio.gather(work, receiving, return_exceptions=True)
        await http.close()


def poll_only_at_wakeups(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set an hour between polls, so that only wake-ups cause them."""
    monkeypatch.setattr(registry.get("bfl"), "shortest_wait", HOUR, raising=False)
    monkeypatch.setattr(poll_schedule, "LONGEST_WAIT", HOUR)


async def all_wakeups_received() -> None:
    """Wait until the worker has received all wake-ups so far."""
    last = uuid.uuid4()
    with wakeups.listening(last) as received:
        await events.wake_up(last)
        assert await wakeups.wait(received, PATIENCE)


async def finished(job: Job) -> Job:
    row = await in_thread(Job.objects.get, pk=job.pk)
    assert row.status == Status.COMPLETED, row.error
    return row


async def test_a_public_portal_sends_a_callback_url(public: None, emulator: Emulator) -> None:
    job = await in_thread(submit)
    async with running(job) as work:
        await work
    await finished(job)
    path = requests.callback_path(job_id=job.id, provider=emulator.name)
    given = urlsplit(emulator.tasks[0].callback)
    assert f"{given.scheme}://{given.netloc}" == PORTAL
    # The signature includes its timestamp.
    assert given.path.split(":")[0] == path.split(":")[0]
    assert requests.read_callback_token(token=given.path.split("/")[3], provider=emulator.name) == job.id


async def test_a_portal_without_public_url_sends_no_callback_url(emulator: Emulator) -> None:
    job = await in_thread(submit)
    async with running(job) as work:
        await work
    await finished(job)
    assert emulator.tasks[0].callback == ""


async def test_a_callback_ends_the_wait(public: None, bfl: Bfl, monkeypatch: pytest.MonkeyPatch) -> None:
    poll_only_at_wakeups(monkeypatch)
    job = await in_thread(submit)
    async with running(job) as work:
        await until(lambda: bfl.tasks and job.id in wakeups._waiting)
        await until(lambda: not bfl.active())
        await AsyncClient().post(urlsplit(bfl.tasks[0].callback).path)
        await asyncio.wait_for(work, PATIENCE)
    await finished(job)


async def test_a_flood_of_callbacks_causes_few_polls(
    public: None, bfl: Bfl, monkeypatch: pytest.MonkeyPatch
) -> None:
    poll_only_at_wakeups(monkeypatch)
    bfl.seconds = HOUR
    job = await in_thread(submit)
    async with running(job) as work:
        await until(lambda: bfl.tasks and job.id in wakeups._waiting)
        path = urlsplit(bfl.tasks[0].callback).path
        for _ in range(100):
            await AsyncClient().post(path)
        await until(lambda: bfl.tasks[0].polls)
        await all_wakeups_received()
        work.cancel()
    assert 0 < bfl.tasks[0].polls <= polling.HEEDED


async def test_a_callback_for_an_ended_edit_changes_nothing(public: None, bfl: Bfl) -> None:
    job = await in_thread(submit)
    async with running(job) as work:
        await work
        polls = bfl.tasks[0].polls
        response = await AsyncClient().post(urlsplit(bfl.tasks[0].callback).path)
        await all_wakeups_received()
    assert response.status_code == 200
    assert bfl.tasks[0].polls == polls
