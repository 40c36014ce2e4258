"""A machine temporarily without file descriptors or disk space: edits wait, none is lost or sent twice."""

from __future__ import annotations

import asyncio
import errno
import uuid
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from django.utils import timezone
from pytest_django import Settings

from editor import shortage
from editor.access.actor import Actor
from editor.concurrency.threads import in_thread
from editor.engine import execution
from editor.media import store
from editor.models import CreditAccount, Image, Job, JobEvent, Status
from editor.operations import jobs
from editor.operations.jobs import NewEdit
from editor.providers import http, registry
from editor.providers.base import EditRequest, Progress, Provider, Result, ResultImage, Submitted
from editor.providers.failures import not_sent
from tests.emulators.registry import EMULATORS
from tests.engine import emulator_stack
from tests.factories import make_actor, make_image, photo
from tests.scarce import NoDescriptors

pytestmark = pytest.mark.usefixtures("committed")

LACKS = "for system resources"
DONE = Result(images=(ResultImage(photo(), "image/png"),))


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "PAUSE", 0.05)
    monkeypatch.setattr(shortage, "LONGEST_PAUSE", 0.2)


class Paid(Provider):
    """A provider that costs money for each submit and runs the test's hooks."""

    name = "sandbox"
    label = "Paid"
    needs_key = False

    def __init__(self, *, at_once: bool = False) -> None:
        self.immediate = at_once
        self.submits = self.polls = 0
        self.before_submit: Callable[[], None] = lambda: None
        self.after_submit: Callable[[], None] = lambda: None
        self.before_poll: Callable[[], None] = lambda: None

    async def submit(self, request: EditRequest) -> Submitted:
        await in_thread(self.before_submit)
        for image in request.images:
            await image.load()
        self.submits += 1
        await in_thread(self.after_submit)
        return Submitted(task_id=uuid.uuid4().hex, result=DONE if self.immediate else None)

    async def poll(self, request: EditRequest, task: Submitted) -> Progress | Result:
        self.polls += 1
        await in_thread(self.before_poll)
        return DONE


class Once:
    """Uses up all descriptors on its first call and releases them when the log has `message`."""

    def __init__(self, caplog: pytest.LogCaptureFixture, message: str) -> None:
        self._caplog = caplog
        self._message = message
        self._scarcity = NoDescriptors()
        self.begun = self.ended = False

    def __call__(self) -> None:
        if not self.begun:
            self.begun = True
            self._scarcity.begin()

    async def end_when_noticed(self) -> None:
        async with asyncio.timeout(60):
            while not (self.begun and self._message in self._caplog.text):
                await asyncio.sleep(0.01)
        self.end()

    def end(self) -> None:
        self._scarcity.end()
        self.ended = True


@pytest.fixture
def once(caplog: pytest.LogCaptureFixture) -> Iterator[Callable[[str], Once]]:
    made: list[Once] = []

    def make(message: str) -> Once:
        made.append(Once(caplog, message))
        return made[-1]

    yield make
    for each in made:
        each.end()


def start(monkeypatch: pytest.MonkeyPatch, provider: Paid, *, picture: bool = False) -> tuple[Actor, Job]:
    monkeypatch.setattr(registry, "get", lambda name: provider)
    actor = make_actor(balance=10)
    images = (make_image(actor).id,) if picture else ()
    return actor, jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour", image_ids=images))


def assert_completed(actor: Actor, job: Job) -> None:
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error) == (Status.COMPLETED, "", "")
    assert Image.objects.filter(kind="result").count() == 1
    account = CreditAccount.objects.get(workspace=actor.workspace)
    assert (account.balance, account.held) == (6, 0)


def run(job: Job, *, beside: Callable[[], Awaitable[None]]) -> None:
    """Run the job as the queue does, which retries after a database error."""

    async def until_it_ends() -> None:
        while True:
            try:
                return await execution.run(job.id)
            except OperationalError:
                await asyncio.sleep(0.1)

    async def both() -> None:
        try:
            await asyncio.gather(beside(), until_it_ends())
        finally:
            await http.close()

    asyncio.run(both())


@pytest.mark.parametrize("at_once", [False, True], ids=["polled", "immediate"])
def test_without_descriptors_for_the_result_it_is_stored_later(
    monkeypatch: pytest.MonkeyPatch, once: Callable[[str], Once], at_once: bool
) -> None:
    provider = Paid(at_once=at_once)
    actor, job = start(monkeypatch, provider)
    scarcity = once("could not be stored" if at_once else LACKS)
    provider.after_submit, provider.before_poll = (scarcity, nothing) if at_once else (nothing, scarcity)
    run(job, beside=scarcity.end_when_noticed)
    assert provider.submits == 1
    assert_completed(actor, job)


def test_without_descriptors_for_the_source_image_the_edit_is_sent_later(
    monkeypatch: pytest.MonkeyPatch, once: Callable[[str], Once]
) -> None:
    provider = Paid()
    actor, job = start(monkeypatch, provider, picture=True)
    provider.before_submit = scarcity = once(LACKS)
    run(job, beside=scarcity.end_when_noticed)
    assert provider.submits == 1
    assert_completed(actor, job)
    message = "Paid: The portal is short of resources. It will try again automatically."
    assert job.events.filter(kind=JobEvent.Kind.ASSIGN, note=message).exists()


def test_the_time_limit_ends_no_task_during_a_shortage(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    provider = Paid()
    actor, job = start(monkeypatch, provider)

    def lack() -> None:
        if provider.polls == 1:
            Job.objects.filter(pk=job.pk).update(submitting_at=timezone.now() - timedelta(days=1))
        if provider.polls < 4:
            raise not_sent()

    provider.before_poll = lack
    run(job, beside=nothing_beside)
    assert (provider.submits, provider.polls) == (1, 4)
    assert_completed(actor, job)


class FullDisk(FileSystemStorage):
    """Stores `left` more files; then, `refusals` times, only a part of one."""

    left, refusals = 1, 3

    def _save(self, name: str, content: Any) -> str:
        saved = super()._save(name, content)  # type: ignore[misc]  # missing in the stubs
        if FullDisk.left:
            FullDisk.left -= 1
        elif FullDisk.refusals:
            FullDisk.refusals -= 1
            raise OSError(errno.ENOSPC, "No space left on device")
        return saved


@pytest.mark.parametrize("at_once", [False, True], ids=["polled", "immediate"])
def test_a_full_disk_loses_no_result_and_keeps_no_part_of_one(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path, at_once: bool
) -> None:
    provider = Paid(at_once=at_once)
    actor, job = start(monkeypatch, provider)
    monkeypatch.setattr(FullDisk, "left", 1)
    monkeypatch.setattr(FullDisk, "refusals", 3)
    folder = tmp_path / "disk"
    backend = f"{FullDisk.__module__}.{FullDisk.__qualname__}"
    settings.STORAGES = settings.STORAGES | {"default": {"BACKEND": backend, "OPTIONS": {"location": folder}}}
    run(job, beside=nothing_beside)
    assert FullDisk.refusals == 0
    assert provider.submits == 1
    assert_completed(actor, job)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) == 1 + len(store.THUMBNAILS)


@pytest.mark.parametrize("name", EMULATORS)
def test_without_descriptors_for_a_connection_the_edit_is_sent_later(
    settings: Settings, once: Callable[[str], Once], name: str
) -> None:
    """Uses the real adapters over HTTP."""
    scarcity = once(LACKS)

    async def beside() -> None:
        scarcity()
        await scarcity.end_when_noticed()

    with emulator_stack.running() as emulators:
        _, job = emulator_stack.submit_alone(settings, emulators, name)
        run(job, beside=beside)
        job.refresh_from_db()
        assert (job.status, job.error) == (Status.COMPLETED, "")
        assert len(emulators[name].tasks) == 1


def nothing() -> None:
    pass


async def nothing_beside() -> None:
    pass
