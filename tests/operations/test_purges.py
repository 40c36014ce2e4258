"""After thirty days a deleted workspace is purged: none of its rows and files is left, all others are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Model
from django.utils import timezone

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import (
    NotFound,
)
from editor.media import store
from editor.models import (
    ApiKey,
    Approval,
    AuditEntry,
    Character,
    CharacterImage,
    FormerAddress,
    Image,
    Invitation,
    Job,
    JobImage,
    LedgerCheck,
    LedgerEntry,
    ModelSetting,
    Notice,
    SpentNonce,
    Star,
    Status,
    Style,
    UsageRule,
    User,
    Workspace,
)
from editor.models.workspaces import RESTORABLE
from editor.operations import (
    addresses,
    api_keys,
    deletions,
    outcomes,
    quotes,
    shares,
    uploads,
    workspace_settings,
)
from editor.operations.webhooks import deliveries, endpoints
from editor.queries import pricing
from tests.factories import make_actor, make_image, make_provider_key, photo
from tests.operations.deleted_workspaces import delete, expire, submitted
from tests.web.rows import add_completed, add_job, fill

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor(name="Acme")


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
