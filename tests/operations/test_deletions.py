"""A deleted workspace is out of reach at once, can be restored for 30 days, and is then purged whole."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.utils import timezone

from editor.access import credentials, lookups
from editor.access.actor import Actor
from editor.errors import (
    Conflict,
    InvalidInput,
    NotAuthenticated,
    NotFound,
    PermissionDenied,
    WorkspaceDeleted,
)
from editor.models import (
    AuditEntry,
    CreditAccount,
    Job,
    LedgerEntry,
    Role,
    Status,
    WebhookDelivery,
    Workspace,
)
from editor.models.workspaces import RESTORABLE
from editor.operations import (
    addresses,
    api_keys,
    deletions,
    jobs,
    outcomes,
    shares,
    uploads,
)
from editor.operations.webhooks import deliveries, endpoints
from tests.factories import UserFactory, make_actor, make_image, make_member, photo
from tests.operations.deleted_workspaces import delete, submitted
from tests.patience import PATIENCE

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor(name="Acme")


@pytest.mark.parametrize("role", [Role.ADMIN, Role.EDITOR, Role.VIEWER])
def test_only_owners_delete(actor: Actor, role: Role) -> None:
    other = make_actor(actor.workspace, user=make_member(actor.workspace, role=role))
    with pytest.raises(PermissionDenied, match="an owner"):
        delete(other)
    assert Workspace.objects.get().deleted_at is None


@pytest.mark.parametrize("name", ["", "acme", "Acme 2"])
def test_another_name_is_no_confirmation(actor: Actor, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        deletions.delete(actor=actor, name=name)
    assert set(caught.value.fields) == {"name"}
    assert Workspace.objects.get().deleted_at is None


def test_several_spaces_in_the_name_count_as_one() -> None:
    deletions.delete(actor=make_actor(name="Acme  Studio"), name=" Acme Studio")
    assert Workspace.objects.get().deleted_at


def test_members_learn_of_the_deletion_and_others_do_not(actor: Actor) -> None:
    addresses.change(actor=actor, address="acme-2")
    delete(actor)
    for slug in ("acme-2", "acme"):
        with pytest.raises(WorkspaceDeleted, match="“Acme” was deleted"):
            lookups.actor(actor.user, slug)
        with pytest.raises(NotFound) as stranger:
            lookups.actor(UserFactory.create(), slug)
        assert not isinstance(stranger.value, WorkspaceDeleted)
    entry = AuditEntry.objects.get(action="workspace.deleted")
    assert (entry.actor, entry.target) == (actor.user, "Acme")


def test_live_edits_are_canceled_and_refunded_once(actor: Actor) -> None:
    waiting, running = submitted(actor), submitted(actor)
    Job.objects.filter(pk=running.pk).update(status=Status.PROCESSING)
    delete(actor)
    deletions.sweep()
    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.status == Status.CANCELED
    assert (running.status, running.cancel_requested_at is None) == (Status.PROCESSING, False)
    outcomes.end_canceled(job=running)  # as its worker does
    outcomes.end_canceled(job=running)
    account = CreditAccount.objects.get()
    assert (account.balance, account.held) == (100, 0)
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.RELEASE).count() == 2


def test_edits_that_a_crash_left_running_are_canceled_by_the_sweep(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(actor)
    with monkeypatch.context() as broken:
        broken.setattr(deletions, "cancel_jobs", lambda **_: 0)
        delete(actor)
    job.refresh_from_db()
    assert job.is_live
    deletions.sweep()
    job.refresh_from_db()
    assert job.status == Status.CANCELED
    assert CreditAccount.objects.get().balance == 100


def test_a_submission_that_was_on_its_way_is_refused(actor: Actor) -> None:
    image = make_image(actor)
    delete(actor)
    with pytest.raises(NotFound):
        jobs.submit(actor=actor, request=jobs.NewEdit(prompt="make it warmer", image_ids=(image.pk,)))
    assert not Job.objects.exists()
    assert CreditAccount.objects.get().held == 0


def test_edits_submitted_during_the_deletion_are_refused_or_refunded(committed: None) -> None:
    actor = make_actor(name="Acme")
    image = make_image(actor)
    together = Barrier(5)

    def run(number: int) -> None:
        try:
            together.wait(PATIENCE)
            if number == 0:
                delete(actor)
                return
            with suppress(NotFound):
                edit = jobs.NewEdit(prompt="make it warmer", image_ids=(image.pk,))
                jobs.submit(actor=actor, request=edit)
        finally:
            connection.close()

    with ThreadPoolExecutor(5) as threads:
        list(threads.map(run, range(5)))
    assert set(Job.objects.values_list("status", flat=True)) <= {Status.CANCELED}
    account = CreditAccount.objects.get()
    assert (account.balance, account.held) == (100, 0)


def test_keys_links_and_uploads_end(actor: Actor) -> None:
    image, job = make_image(actor), submitted(actor)
    key, _ = api_keys.create(actor=actor, name="n8n")
    _, token = shares.create(actor=actor, image=image, days=7)
    ticket = uploads.create(actor=actor, file_name="a.png", content_type="image/png", base="https://a.test")
    permit = uploads.read_token(ticket.upload_url.rpartition("/")[2])
    delete(actor)
    with pytest.raises(NotAuthenticated, match="workspace of this API key was deleted"):
        credentials.actor_of(key, channel="api")
    holder = credentials.holder_of_key(key)
    assert "workspace of this API key was deleted" in credentials.lost([holder])[holder].message
    for call in (
        lambda: shares.find(token),
        lambda: lookups.linked_image(image.pk),
        lambda: lookups.linked_job(job.pk),
    ):
        with pytest.raises(NotFound):
            call()
    for receive in (
        lambda: uploads.expect(permit=permit),
        lambda: uploads.receive(permit=permit, content=photo()),
    ):
        with pytest.raises(PermissionDenied):
            receive()


def test_webhooks_wait_until_it_is_restored(actor: Actor) -> None:
    endpoint, _ = endpoints.create(
        actor=actor, url="https://hooks.example/", events=["job.canceled"], origin="https://portal.example"
    )
    delivery = deliveries.test(actor=actor, endpoint=endpoint)
    delete(actor)
    assert deliveries.claim(like=delivery) is None
    long_ago = timezone.now() - timedelta(hours=1)
    WebhookDelivery.objects.update(next_try_at=long_ago)
    assert deliveries.requeue_lost() == 0
    deletions.restore(workspace=actor.workspace, actor=actor)
    assert deliveries.requeue_lost() == 1
    assert deliveries.claim(like=delivery) == delivery


def test_an_owner_restores_everything(actor: Actor) -> None:
    image = make_image(actor)
    key, _ = api_keys.create(actor=actor, name="n8n")
    _, token = shares.create(actor=actor, image=image, days=7)
    delete(actor)
    owner = lookups.owner_of_deleted(actor.user, "acme")
    deletions.restore(workspace=owner.workspace, actor=owner)
    assert lookups.actor(actor.user, "acme").workspace.deleted_by is None
    assert credentials.actor_of(key, channel="api").user == actor.user
    assert shares.find(token).image == image
    assert AuditEntry.objects.filter(action="workspace.restored").count() == 1


def test_only_its_owners_and_operators_restore_it_and_only_in_time(actor: Actor) -> None:
    admin = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.ADMIN))
    with pytest.raises(Conflict):
        deletions.restore(workspace=actor.workspace, actor=actor)  # it is not deleted
    delete(actor)
    with pytest.raises(NotFound):
        lookups.owner_of_deleted(admin.user, "acme")
    with pytest.raises(PermissionDenied):
        deletions.restore(workspace=actor.workspace, actor=admin)
    operator = UserFactory.create(is_superuser=True, is_staff=True)
    deletions.restore(workspace=actor.workspace, actor=operator)
    assert AuditEntry.objects.get(action="workspace.restored").actor_kind == AuditEntry.ActorKind.OPERATOR
    delete(actor)
    Workspace.objects.update(deleted_at=timezone.now() - RESTORABLE)
    with pytest.raises(Conflict, match="more than 30 days"):
        deletions.restore(workspace=actor.workspace, actor=operator)


def test_it_can_be_deleted_once(actor: Actor) -> None:
    delete(actor)
    with pytest.raises(Conflict):
        delete(actor)
