"""A deleted workspace is out of reach at once, can be restored for 30 days, and is then purged whole."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
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
from editor.media import store
from editor.models import (
    ApiKey,
    Approval,
    AuditEntry,
    Character,
    CharacterImage,
    CreditAccount,
    FormerAddress,
    Image,
    Invitation,
    Job,
    JobImage,
    LedgerCheck,
    LedgerEntry,
    ModelSetting,
    Notice,
    Role,
    SpentNonce,
    Star,
    Status,
    Style,
    UsageRule,
    User,
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
    quotes,
    shares,
    uploads,
    workspace_settings,
)
from editor.operations.webhooks import deliveries, endpoints
from editor.queries import pricing
from tests.factories import UserFactory, make_actor, make_image, make_member, make_provider_key, photo
from tests.patience import PATIENCE
from tests.web.rows import add_completed, add_job, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor(name="Acme")


def delete(actor: Actor) -> None:
    deletions.delete(actor=actor, name=actor.workspace.name)


def expire(workspace: Workspace) -> None:
    """Long enough ago for a purge."""
    long_ago = timezone.now() - RESTORABLE - deletions.MARGIN - timedelta(minutes=1)
    Workspace.objects.filter(pk=workspace.pk).update(deleted_at=long_ago)


def submitted(actor: Actor) -> Job:
    image = make_image(actor)
    return jobs.submit(actor=actor, request=jobs.NewEdit(prompt="make it warmer", image_ids=(image.pk,)))


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


def test_what_can_still_be_restored_is_not_purged(actor: Actor) -> None:
    image = make_image(actor)
    delete(actor)
    Workspace.objects.update(deleted_at=timezone.now() - RESTORABLE)
    assert deletions.sweep() == 0
    assert store.read(image.storage_name)


def paths() -> Iterator[tuple[type[Model], str]]:
    """Each model that belongs to a workspace, with the shortest path of foreign keys to it."""
    found: dict[type[Model], str] = {}
    models = [model for model in apps.get_models() if model is not Workspace]
    while True:
        more = {
            model: f"{field.name}__{found[field.related_model]}"
            if field.related_model in found
            else field.name
            for model in models
            if model not in found
            for field in sorted(model._meta.concrete_fields, key=lambda field: not field.null)
            if field.related_model in found or field.related_model is Workspace
        }
        if not more:
            break
        found.update(more)
    found.pop(User, None)
    yield from found.items()


def make_everything(actor: Actor) -> None:
    """Rows of each model, with files."""
    workspace = actor.workspace
    first = make_image(actor)
    fill(workspace, rows=3)
    Job.objects.filter(workspace=workspace, status=Status.PENDING).update(price=0)
    result = add_completed(workspace, first, version=2, user=actor.user)
    assert result.job
    JobImage.objects.create(job=result.job, image=first, role=JobImage.Role.SOURCE, position=0)
    Star.objects.create(user=actor.user, image=first)
    Notice.objects.create(user=actor.user, workspace=actor.workspace, kind="x", text="x", source="x")
    Approval.objects.create(
        job=add_job(workspace, status=Status.WAITING),
        workspace=workspace,
        limit="threshold",
        allowed=1,
        used=0,
        price=4,
        expires_at=timezone.now() + timedelta(days=7),
    )
    ModelSetting.objects.create(workspace=workspace, model="x", credits=3)
    LedgerCheck.objects.create(
        account=workspace.credit_account, checked_at=timezone.now(), entries=1, milliseconds=1
    )
    shares.create(actor=actor, image=first, days=1)
    character = Character.objects.create(workspace=workspace, name="Ada")
    CharacterImage.objects.create(character=character, image=first, position=1)
    Style.objects.create(workspace=workspace, name="Own look", prompt="sepia")
    endpoint, _ = endpoints.create(
        actor=actor, url="https://hooks.example/", events=["job.failed"], origin="https://portal.example"
    )
    deliveries.test(actor=actor, endpoint=endpoint)
    key, _ = api_keys.create(actor=actor, name="n8n")
    own, _ = api_keys.create(actor=actor, name="Website", of_workspace=True)
    image_of_key = make_image(make_actor(workspace, user=own.created_by))
    Star.objects.create(user=own.created_by, image=image_of_key)
    SpentNonce.objects.create(key=own, call="run", nonce="1", body_hash="x")
    SpentNonce.objects.create(key=key, call="run", nonce="1", body_hash="x")
    make_provider_key(workspace=workspace, provider="bfl")
    quotes.create(actor=actor, choice=pricing.choose(workspace=workspace), inputs={})
    UsageRule.objects.create(workspace=workspace)
    Invitation.objects.create(
        workspace=workspace, email="a@b.test", nonce="x", expires_at=timezone.now() + timedelta(days=7)
    )
    addresses.change(actor=actor, address=f"{workspace.slug}-new")
    uploads.create(actor=actor, file_name="a.png", content_type="image/png", base="https://a.test")
    workspace_settings.set_picture(actor=actor, content=photo())
    store.save(f"w/{workspace.pk}/00/without-a-row.png", b"x", "image/png")
    store.save(f"incoming/{workspace.pk}/without-a-row", b"x", "image/png")


def everything() -> dict[str, str]:
    """Each table as one text, without those whose rows end by themselves: the queue's and the sessions."""
    names = connection.introspection.table_names()
    texts = {}
    with connection.cursor() as cursor:
        for name in names:
            if not name.startswith("procrastinate_") and name != "django_session":
                quoted = connection.ops.quote_name(name)
                cursor.execute(f"SELECT string_agg(rows::text, chr(10)) FROM {quoted} AS rows")
                texts[name] = str(cursor.fetchone()[0])
    return texts


def all_files() -> set[Path]:
    return set(Path(settings.STORAGES["default"]["OPTIONS"]["location"]).rglob("*.*"))


def rows_of(workspace: Workspace) -> dict[type[Model], set[Any]]:
    return {
        model: set(model._default_manager.filter(**{path: workspace}).values_list("pk", flat=True))
        for model, path in paths()
    }


def files_of(workspace: Workspace) -> list[str]:
    root = Path(settings.STORAGES["default"]["OPTIONS"]["location"])
    return [str(path) for path in root.rglob("*") if path.is_file() and str(workspace.pk) in str(path)]


def assert_gone(rows: dict[type[Model], set[Any]]) -> None:
    left = {
        model.__name__: model._default_manager.filter(pk__in=keys).count() for model, keys in rows.items()
    }
    assert {name: count for name, count in left.items() if count} == {}


def test_a_purge_leaves_no_row_and_no_file_and_touches_no_other_workspace(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletions, "BATCH", 2)
    other = make_actor(name="Rivals")
    for each in (actor, other):
        make_everything(each)
    mine, theirs = rows_of(actor.workspace), rows_of(other.workspace)
    assert [model.__name__ for model, keys in mine.items() if not keys] == []
    files = files_of(other.workspace)
    assert files_of(actor.workspace)
    delete(actor)
    mine = rows_of(actor.workspace)
    expire(actor.workspace)
    assert deletions.sweep() == 1
    assert_gone(mine)
    assert files_of(actor.workspace) == []
    assert not Workspace.objects.filter(pk=actor.workspace.pk).exists()
    assert rows_of(other.workspace) == theirs
    assert files_of(other.workspace) == files
    assert AuditEntry.objects.get(action="workspace.purged").target == "Acme"
    assert User.objects.filter(pk=actor.user.pk).exists()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # no reference to anything that is gone


def test_a_purge_leaves_no_trace_in_any_table_or_in_the_storage(actor: Actor) -> None:
    make_actor(name="Rivals")
    workspace, files = actor.workspace, all_files()
    make_everything(actor)
    service = User.objects.filter(memberships__workspace=workspace, is_service_account=True)
    ids = {str(workspace.pk), *(str(account.pk) for account in service)}
    ids |= {str(key) for keys in rows_of(workspace).values() for key in keys if isinstance(key, UUID)}
    assert len(ids) > 20
    assert all_files() > files
    delete(actor)
    tables = everything()
    assert sum(str(workspace.pk) in text for text in tables.values()) > 15
    expire(workspace)
    assert deletions.sweep() == 1
    traces = {name: {one for one in ids if one in text} for name, text in everything().items()}
    assert {name: found for name, found in traces.items() if found} == {}
    assert all_files() == files
    assert not User.objects.filter(is_service_account=True).exists()


def test_a_purge_leaves_the_keys_of_another_workspace(actor: Actor) -> None:
    other = make_actor(name="Rivals")
    for each in (actor, other):
        api_keys.create(actor=each, name="Website", of_workspace=True)
    delete(actor)
    expire(actor.workspace)
    assert deletions.sweep() == 1
    key = ApiKey.objects.get()
    assert key.workspace == other.workspace
    assert key.created_by.memberships.get().workspace == other.workspace


def test_a_purge_continues_where_it_was_interrupted(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deletions, "BATCH", 2)
    monkeypatch.setattr(deletions, "STEPS", 5)
    make_everything(actor)
    delete(actor)
    mine = rows_of(actor.workspace)
    expire(actor.workspace)
    calls = 0
    while deletions.sweep() == 0:
        calls += 1
        assert calls < 100
        with pytest.raises(NotFound):
            lookups.actor(actor.user, "acme-new")
    assert calls > 2
    assert_gone(mine)
    assert files_of(actor.workspace) == []


def test_a_purge_waits_for_a_storage_that_fails(actor: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    make_everything(actor)
    delete(actor)
    expire(actor.workspace)
    with monkeypatch.context() as broken:
        broken.setattr(store, "delete", _fail)
        with pytest.raises(OSError):
            deletions.sweep()
    assert Image.objects.filter(workspace=actor.workspace).exists()
    assert deletions.sweep() == 1
    assert files_of(actor.workspace) == []


def _fail(name: str) -> None:
    raise OSError(name)


def test_an_edit_that_never_ended_is_refunded_before_the_purge(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = submitted(actor)
    Job.objects.update(status=Status.PROCESSING)
    delete(actor)
    expire(actor.workspace)
    ended: list[Job] = []
    end = outcomes.end_canceled

    def recorded(*, job: Job) -> None:
        ended.append(job)
        end(job=job)

    monkeypatch.setattr(outcomes, "end_canceled", recorded)
    assert deletions.sweep() == 1
    assert ended == [job]
    assert not Job.objects.exists()


def test_outside_a_purge_the_ledger_and_the_audit_log_stay_append_only(actor: Actor) -> None:
    for rows in (LedgerEntry.objects.all(), AuditEntry.objects.all()):
        with pytest.raises(Exception, match="never changed or deleted"), transaction.atomic():
            rows.delete()


def test_its_address_is_free_again_after_the_purge(actor: Actor) -> None:
    addresses.change(actor=actor, address="acme-2")
    delete(actor)
    assert addresses.free(name="Acme") == "acme-3"
    expire(actor.workspace)
    deletions.sweep()
    assert addresses.free(name="Acme") == "acme"
    assert not FormerAddress.objects.exists() and not ApiKey.objects.exists()
