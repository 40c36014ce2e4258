"""Edits of a portal that keeps its files in an S3 bucket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from editor import shortage
from editor.concurrency import threads
from editor.concurrency.threads import in_thread
from editor.engine import execution, results
from editor.engine.results import NotStored
from editor.models import Status
from editor.operations import images, jobs
from editor.operations.jobs import NewEdit
from editor.shortage import Shortage
from tests.emulators import s3
from tests.engine.results_at_hand import DONE, start
from tests.factories import make_actor, make_image
from tests.patience import PATIENCE, until

pytestmark = pytest.mark.usefixtures("committed")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shortage, "PAUSE", 0.05)


@pytest.mark.parametrize(
    ("status", "raised"), [(403, NotStored), (404, NotStored), (500, Shortage), (503, Shortage)]
)
def test_an_overloaded_bucket_is_retried_and_a_refusing_one_is_not(
    monkeypatch: pytest.MonkeyPatch, settings: Settings, status: int, raised: type[Exception]
) -> None:
    _, job = start(monkeypatch)
    with s3.bucket() as bucket:
        bucket.use(settings)
        bucket.refuses = status
        with pytest.raises(raised):
            asyncio.run(results.keep(job=job, result=DONE))


def test_an_unreachable_bucket_is_retried(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    _, job = start(monkeypatch)
    with s3.unreachable_bucket() as bucket:
        bucket.use(settings)
        with pytest.raises(Shortage):
            asyncio.run(results.keep(job=job, result=DONE))


def test_an_edit_waits_until_its_source_can_be_read(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    actor = make_actor(balance=10)
    folder = settings.STORAGES
    edit = NewEdit(prompt="make it warmer", image_ids=(make_image(actor).id,))
    job = jobs.submit(actor=actor, request=edit)

    def pauses() -> Iterator[float]:
        yield 0.01
        assert settings.STORAGE_BUCKET  # it could not be read from there
        settings.STORAGE_BUCKET, settings.STORAGES = "", folder
        yield 0.01

    with s3.unreachable_bucket() as bucket:
        bucket.use(settings)
        monkeypatch.setattr(execution, "pauses", pauses)
        asyncio.run(execution.run(job.id))
    assert not settings.STORAGE_BUCKET
    job.refresh_from_db()
    assert (job.status, job.error) == (Status.COMPLETED, "")


def test_results_waiting_for_a_bucket_hold_no_database_thread(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    _, job = start(monkeypatch)

    async def store_many_and_read_a_row() -> list[BaseException | list[images.Stored]]:
        with s3.hung_bucket() as (bucket, accepted):
            bucket.use(settings)
            storing = [
                asyncio.create_task(results.keep(job=job, result=DONE)) for _ in range(2 * threads.THREADS)
            ]
            await until(lambda: len(accepted) >= threads.THREADS)
            await asyncio.wait_for(in_thread(job.refresh_from_db), PATIENCE)
            assert not any(each.done() for each in storing)
        return await asyncio.gather(*storing, return_exceptions=True)

    assert {type(each) for each in asyncio.run(store_many_and_read_a_row())} == {Shortage}
