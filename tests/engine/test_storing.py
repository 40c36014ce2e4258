"""Storing results: exactly one set of files for each or none, and no endless wait."""

from __future__ import annotations

import asyncio
import errno
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.storage import FileSystemStorage
from django.db import OperationalError
from pytest_django import Settings

from editor import shortage
from editor.access.actor import Actor
from editor.engine import execution, results
from editor.media import store
from editor.models import CreditAccount, Image, Job, Status
from editor.operations import outcomes
from tests.engine.results_at_hand import start
from tests.operations.upload_files import stored_files
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")


FILES = 1 + len(store.THUMBNAILS)


MESSAGE = "The portal could not store the image. Try again later, or ask an operator for help."


EACH_WAY = pytest.mark.parametrize("at_once", [False, True], ids=["polled", "immediate"])


class Barrier:
    """A point in a thread's work at which it waits until the test lets it continue."""

    def __init__(self) -> None:
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        self.reached.set()
        assert self.open.wait(PATIENCE)


class Disk(FileSystemStorage):
    """Calls `before` before it stores a file."""

    taken = 0
    before: Callable[[], None] = staticmethod(lambda: None)

    def _save(self, name: str, content: Any) -> str:
        type(self).before()
        saved: str = super()._save(name, content)  # type: ignore[misc]  # missing in the stubs
        Disk.taken += 1
        return saved


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> type[Disk]:
    monkeypatch.setattr(Disk, "taken", 0)
    monkeypatch.setattr(Disk, "before", Disk.before)
    default = settings.STORAGES["default"] | {"BACKEND": f"{Disk.__module__}.{Disk.__qualname__}"}
    settings.STORAGES = settings.STORAGES | {"default": default}
    return Disk


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "PAUSE", 0.05)


def run(job: Job) -> None:
    """Run the job as the queue does, which retries after a database error."""
    try:
        asyncio.run(execution.run(job.id))
    except OperationalError:
        asyncio.run(execution.run(job.id))


async def cancel_at(job: Job, barrier: Barrier) -> None:
    """Run the job and cancel the run while its work waits at the barrier."""
    running = asyncio.create_task(execution.run(job.id))
    await until(barrier.reached.is_set)
    running.cancel()
    await asyncio.sleep(0)  # let the run handle the cancellation
    barrier.open.set()
    await asyncio.gather(running, return_exceptions=True)


def assert_completed(actor: Actor, job: Job) -> None:
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.COMPLETED, "")
    image = Image.objects.get(kind="result")
    assert store.read(image.storage_name)
    assert len(stored_files()) == FILES
    assert totals(actor) == (6, 0)


def assert_not_stored(actor: Actor, job: Job) -> None:
    job.refresh_from_db()
    assert (job.status, job.error_code, job.error) == (Status.FAILED, "not_stored", MESSAGE)
    assert stored_files() == []
    assert totals(actor) == (10, 0)


def totals(actor: Actor) -> tuple[int, int]:
    account = CreditAccount.objects.get(workspace=actor.workspace)
    return account.balance, account.held


@EACH_WAY
@pytest.mark.parametrize("committed_first", [False, True], ids=["undone", "committed"])
def test_a_database_that_goes_away_at_the_end_leaves_one_set_of_files(
    monkeypatch: pytest.MonkeyPatch, at_once: bool, committed_first: bool
) -> None:
    calls = 0
    end_completed = outcomes.end_completed

    def fails_once(**arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls > 1 or committed_first:
            ended = end_completed(**arguments)
        if calls == 1:
            raise OperationalError("the connection is lost")
        return ended

    monkeypatch.setattr(outcomes, "end_completed", fails_once)
    actor, job = start(monkeypatch, at_once=at_once)
    run(job)
    assert calls == (1 if committed_first else 2)
    assert_completed(actor, job)


@pytest.mark.parametrize("committed_first", [False, True], ids=["undone", "committed"])
def test_a_run_canceled_at_the_end_keeps_no_files_without_a_row(
    monkeypatch: pytest.MonkeyPatch, committed_first: bool
) -> None:
    barrier = Barrier()
    end_completed = outcomes.end_completed

    def stopped(**arguments: Any) -> bool:
        barrier()
        if committed_first:
            return end_completed(**arguments)
        raise OperationalError("the connection is lost")

    actor, job = start(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(outcomes, "end_completed", stopped)
        asyncio.run(cancel_at(job, barrier))
    assert len(stored_files()) == (FILES if committed_first else 0)
    run(job)
    assert_completed(actor, job)


def test_a_run_canceled_while_storing_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch, disk: type[Disk]
) -> None:
    barrier = Barrier()
    disk.before = barrier
    actor, job = start(monkeypatch)

    async def go() -> None:
        await cancel_at(job, barrier)
        await until(lambda: disk.taken == FILES)

    asyncio.run(go())
    assert stored_files() == []
    run(job)
    assert_completed(actor, job)


def test_a_job_that_ends_while_its_result_is_stored_leaves_no_files(
    monkeypatch: pytest.MonkeyPatch, disk: type[Disk]
) -> None:
    actor, job = start(monkeypatch)
    disk.before = lambda: outcomes.end_failed(job=Job.objects.get(), code="x", message="x")
    run(job)
    assert disk.taken == FILES
    assert stored_files() == []
    assert totals(actor) == (10, 0)


@EACH_WAY
@pytest.mark.parametrize(
    "error", [PermissionError("no"), NotADirectoryError("no"), ValueError("a bug")], ids=repr
)
def test_a_permanent_storage_error_fails_the_job_immediately(
    monkeypatch: pytest.MonkeyPatch, disk: type[Disk], error: Exception, at_once: bool
) -> None:
    errors = iter([error])
    disk.before = lambda: raise_next(errors)
    actor, job = start(monkeypatch, at_once=at_once)
    run(job)
    assert_not_stored(actor, job)


@EACH_WAY
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.ESTALE], ids=errno.errorcode.get)
def test_a_temporary_storage_error_is_retried(
    monkeypatch: pytest.MonkeyPatch, disk: type[Disk], number: int, at_once: bool
) -> None:
    errors = iter([OSError(number, "not now"), OSError(number, "not now")])
    disk.before = lambda: raise_next(errors)
    actor, job = start(monkeypatch, at_once=at_once)
    run(job)
    assert next(errors, None) is None
    assert_completed(actor, job)


@EACH_WAY
def test_retries_of_the_storage_are_limited(
    monkeypatch: pytest.MonkeyPatch, disk: type[Disk], at_once: bool
) -> None:
    tries = 0

    def refuse() -> None:
        nonlocal tries
        tries += 1
        if tries == 3:  # an hour has passed
            monkeypatch.setattr(results, "STORE_PATIENCE", timedelta(seconds=-1))
        if tries <= 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    disk.before = refuse
    actor, job = start(monkeypatch, at_once=at_once)
    run(job)
    assert tries == 3
    assert_not_stored(actor, job)


def raise_next(errors: Iterator[Exception]) -> None:
    if error := next(errors, None):
        raise error
