"""Deleting users permanently: what is removed, what stays, and who cannot be deleted."""

from __future__ import annotations

import threading
import uuid

import pytest
from django.db import connection, transaction

from editor.errors import Conflict
from editor.models import (
    ApiKey,
    AuditEntry,
    CreditAccount,
    Image,
    Job,
    LedgerEntry,
    Membership,
    Status,
    User,
)
from editor.operations import api_keys, credits, images, jobs, outcomes, people, timeline
from editor.operations.jobs import NewEdit
from tests.factories import PASSWORD, UserFactory, make_actor, make_image, make_member
from tests.patience import PATIENCE, somebody_waits_for_our_locks, wait_until

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator() -> User:
    return User.objects.create_superuser("operator@example.test", PASSWORD)


def test_the_users_keys_are_removed_and_their_work_stays(operator: User) -> None:
    owner = make_actor()
    user = make_member(owner.workspace)
    member = make_actor(owner.workspace, user=user)
    key, bare = api_keys.create(actor=member, name="n8n")
    kept, _ = api_keys.create(actor=owner, name="the owner's")
    image = make_image(member)
    credits.grant(workspace=owner.workspace, amount=5, actor=user, note="theirs")
    entries = LedgerEntry.objects.count()

    people.remove(user=user, actor=operator)

    assert api_keys.find(bare) is None
    assert list(ApiKey.objects.all()) == [kept]
    assert not User.objects.filter(pk=user.pk).exists()
    assert not Membership.objects.filter(workspace=owner.workspace, role="editor").exists()
    assert Image.objects.get(pk=image.pk).created_by is None
    assert LedgerEntry.objects.count() == entries
    noted = dict(AuditEntry.objects.filter(actor=operator).values_list("action", "target"))
    assert noted == {
        "api_key.removed": str(key),
        "api_key.revoked": str(key),
        "membership.removed": user.email,
        "account.deleted": user.email,
    }


def test_an_operator_cannot_delete_their_own_account(operator: User) -> None:
    User.objects.create_superuser("second@example.test", PASSWORD)
    with pytest.raises(Conflict, match="your own account"):
        people.remove(user=operator, actor=operator)
    assert User.objects.filter(pk=operator.pk).exists()


def test_the_last_operator_cannot_be_deleted(operator: User) -> None:
    UserFactory.create()
    User.objects.create_superuser("off@example.test", PASSWORD, is_active=False)
    with pytest.raises(Conflict, match="last operator"):
        people.remove(user=operator, actor=None)
    User.objects.create_superuser("second@example.test", PASSWORD)
    people.remove(user=operator, actor=None)
    assert not User.objects.filter(pk=operator.pk).exists()


def running_job() -> Job:
    """A processing job, as the worker has it in memory."""
    workspace = make_actor(balance=10).workspace
    actor = make_actor(workspace, user=make_member(workspace))
    job = jobs.submit(actor=actor, request=NewEdit(prompt="a quiet harbour"))
    timeline.record(job=job, kind=timeline.Kind.START, status=Status.PROCESSING)
    return Job.objects.select_related("created_by").get(pk=job.pk)


def complete(job: Job) -> None:
    name = f"w/{job.workspace_id}/{job.id}.png"
    stored = images.Stored(
        id=uuid.uuid4(), storage_name=name, content_type="image/png", width=8, height=8, size=80
    )
    assert outcomes.end_completed(job=job, stored=[stored], seed=None)


def assert_kept_anonymously(job: Job) -> None:
    job = Job.objects.get(pk=job.pk)
    assert (job.status, job.charged, job.created_by) == (Status.COMPLETED, job.price, None)
    assert job.results.get().created_by is None
    account = CreditAccount.objects.get(workspace=job.workspace_id)
    assert (account.balance, account.held) == (10 - job.price, 0)


@pytest.mark.usefixtures("committed")
def test_a_running_edit_keeps_its_result_when_its_user_is_deleted(operator: User) -> None:
    job = running_job()
    assert job.created_by is not None
    people.remove(user=User.objects.get(pk=job.created_by.pk), actor=operator)
    complete(job)
    assert_kept_anonymously(job)


@pytest.mark.usefixtures("committed")
def test_a_user_can_be_deleted_while_their_edit_completes(operator: User) -> None:
    job = running_job()
    user = User.objects.get(jobs=job)
    raised: list[Exception] = []

    def remove() -> None:
        try:
            people.remove(user=user, actor=operator)
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    removing = threading.Thread(target=remove)
    with transaction.atomic():
        complete(job)
        removing.start()
        wait_until(somebody_waits_for_our_locks)
    removing.join(PATIENCE)
    assert raised == []
    assert_kept_anonymously(job)
