"""Jobs of dead workers, and jobs missing from the queue, are enqueued again."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from editor.access.actor import Actor
from editor.engine import execution, housekeeping
from editor.models import CreditAccount, Job, Status
from editor.operations import jobs
from tests.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def submit(actor: Actor, *, age: int = 60) -> Job:
    """A job that has waited for `age` seconds."""
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="a quiet harbour"))
    Job.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(seconds=age))
    return Job.objects.get(pk=job.pk)


def fetch(*, heartbeat_age: int) -> None:
    """Have a worker whose last heartbeat was `heartbeat_age` seconds ago fetch the next job."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM procrastinate_register_worker_v1()")
        worker = cursor.fetchone()[0]
        cursor.execute("SELECT id FROM procrastinate_fetch_job_v2(ARRAY['jobs']::varchar[], %s)", [worker])
        assert cursor.fetchone()[0] is not None
        cursor.execute(
            "UPDATE procrastinate_workers"
            " SET last_heartbeat = now() - make_interval(secs => %s) WHERE id = %s",
            [heartbeat_age, worker],
        )


def drop_from_queue(job: Job) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_jobs WHERE id = %s", [job.queue_id])


def queued() -> list[tuple[str, str]]:
    rows = ProcrastinateJob.objects.order_by("id")
    return [(str(row.args["job_id"]), row.status) for row in rows]


def test_a_job_of_a_dead_worker_is_requeued(actor: Actor) -> None:
    job = submit(actor)
    fetch(heartbeat_age=housekeeping.STALLED_AFTER + 1)
    assert housekeeping.rescue() == 1
    assert queued() == [(str(job.id), "todo")]
    assert housekeeping.rescue() == 0


def test_a_job_whose_worker_was_deleted_is_requeued(actor: Actor) -> None:
    submit(actor)
    fetch(heartbeat_age=0)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")
    assert housekeeping.rescue() == 1


def test_a_job_of_a_live_worker_is_not_requeued(actor: Actor) -> None:
    job = submit(actor)
    fetch(heartbeat_age=housekeeping.STALLED_AFTER - 2)
    assert housekeeping.rescue() == 0
    assert queued() == [(str(job.id), "doing")]


def test_a_live_job_missing_from_the_queue_is_enqueued_again(actor: Actor) -> None:
    job = submit(actor)
    drop_from_queue(job)
    assert housekeeping.requeue_lost() == 1
    assert queued() == [(str(job.id), "todo")]
    job.refresh_from_db()
    assert job.queue_id == ProcrastinateJob.objects.get().id
    assert housekeeping.requeue_lost() == 0


@pytest.mark.parametrize("status", ["failed", "succeeded", "cancelled", "aborted"])
def test_a_live_job_that_the_queue_has_finished_is_enqueued_again(actor: Actor, status: str) -> None:
    job = submit(actor)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status", [status])
    assert housekeeping.requeue_lost() == 1
    assert queued() == [(str(job.id), status), (str(job.id), "todo")]


def test_a_live_job_without_a_queue_row_of_its_own_is_enqueued(actor: Actor) -> None:
    job = submit(actor)
    drop_from_queue(job)
    Job.objects.update(queue_id=None)
    assert housekeeping.requeue_lost() == 1
    assert queued() == [(str(job.id), "todo")]


def test_a_queued_job_is_not_enqueued_again(actor: Actor) -> None:
    waiting, running = submit(actor), submit(actor)
    fetch(heartbeat_age=60)
    assert housekeeping.requeue_lost() == 0
    assert sorted(status for _, status in queued()) == ["doing", "todo"]
    assert {id for id, _ in queued()} == {str(waiting.id), str(running.id)}


def test_a_job_created_just_now_is_not_enqueued_again(actor: Actor) -> None:
    drop_from_queue(submit(actor, age=0))
    assert housekeeping.requeue_lost() == 0


@pytest.mark.parametrize("status", [Status.COMPLETED, Status.FAILED, Status.CANCELED])
def test_an_ended_job_is_never_enqueued(actor: Actor, status: Status) -> None:
    job = submit(actor)
    drop_from_queue(job)
    Job.objects.update(status=status, finished_at=timezone.now())
    assert housekeeping.requeue_lost() == 0
    assert queued() == []


def age_queue_rows(*, hours: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE procrastinate_events SET at = at - make_interval(mins => %s)", [int(hours * 60)]
        )


@pytest.mark.parametrize("status", ["failed", "succeeded", "cancelled", "aborted"])
def test_finished_queue_rows_are_deleted_after_some_hours(actor: Actor, status: str) -> None:
    submit(actor)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = %s::procrastinate_job_status", [status])
    age_queue_rows(hours=5.9)
    assert housekeeping.forget_queue_rows() == 0
    age_queue_rows(hours=0.2)
    assert housekeeping.forget_queue_rows() == 1
    assert queued() == []


def test_canceled_jobs_leave_no_queue_rows(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(housekeeping, "FORGOTTEN_AT_ONCE", 2)
    for _ in range(3):
        jobs.cancel(actor=actor, job=submit(actor))
    age_queue_rows(hours=7)
    assert [housekeeping.forget_queue_rows() for _ in range(3)] == [2, 1, 0]
    assert queued() == []


def test_unfinished_queue_rows_are_never_deleted(actor: Actor) -> None:
    submit(actor)
    submit(actor)
    fetch(heartbeat_age=0)
    age_queue_rows(hours=1000)
    assert housekeeping.forget_queue_rows() == 0
    assert len(queued()) == 2


def test_a_job_canceled_while_its_worker_is_dead_ends(committed: None) -> None:
    actor = make_actor(balance=10)
    job = submit(actor)
    fetch(heartbeat_age=60)
    Job.objects.filter(pk=job.pk).update(status=Status.PROCESSING, started_at=timezone.now())
    jobs.cancel(actor=actor, job=job)
    job.refresh_from_db()
    assert job.is_live  # only a worker may stop a job that may be running
    assert housekeeping.rescue() == 1
    assert queued() == [(str(job.id), "failed")]  # the queue aborts it; the job's row decides
    assert housekeeping.requeue_lost() == 1
    asyncio.run(execution.run(job.id))
    job.refresh_from_db()
    account = CreditAccount.objects.get()
    assert (job.status, account.balance, account.held) == (Status.CANCELED, 10, 0)
