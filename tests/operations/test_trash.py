"""Images in the trash cannot be used, can be restored, and are purged after weeks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import Conflict, NotFound, PermissionDenied
from editor.media import store
from editor.models import AuditEntry, Character, CharacterImage, Image, Job, Role
from editor.models.workspaces import DEFAULT_TRASH_DAYS
from editor.operations import images, jobs, trash, uploads
from tests.factories import make_actor, make_image, make_member
from tests.operations.upload_files import expire, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def trashed_for(image: Image, **age: float) -> None:
    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now() - timedelta(**age))


def test_a_trashed_image_cannot_be_edited_and_a_restored_one_can(actor: Actor) -> None:
    image = make_image(actor)
    edit = jobs.NewEdit(prompt="make it warmer", image_ids=(image.id,))
    trash.discard(actor=actor, images=[image])
    with pytest.raises(NotFound, match="in the trash"):
        jobs.submit(actor=actor, request=edit)
    trash.restore(actor=actor, images=[image])
    assert jobs.submit(actor=actor, request=edit).parent == image


def test_discarding_and_restoring_are_audited(actor: Actor) -> None:
    images = [make_image(actor), make_image(actor)]
    trash.discard(actor=actor, images=images)
    trash.discard(actor=actor, images=images)  # repeating it is not audited
    trash.restore(actor=actor, images=images[:1])
    noted = AuditEntry.objects.filter(action__startswith="images.").order_by("id")
    assert [(entry.action, entry.data["images"], entry.actor) for entry in noted] == [
        ("images.trashed", 2, actor.user),
        ("images.restored", 1, actor.user),
    ]


def test_a_viewer_can_neither_discard_nor_restore(actor: Actor) -> None:
    image = make_image(actor)
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        trash.discard(actor=viewer, images=[image])
    trash.discard(actor=actor, images=[image])
    with pytest.raises(PermissionDenied):
        trash.restore(actor=viewer, images=[image])


def test_an_image_of_another_workspace_is_not_discarded(actor: Actor) -> None:
    image = make_image(actor)
    trash.discard(actor=make_actor(name="Rivals"), images=[image])
    image.refresh_from_db()
    assert image.trashed_at is None


def test_purging_deletes_the_files_and_keeps_the_row(actor: Actor) -> None:
    old, young, kept = (make_image(actor) for _ in range(3))
    trashed_for(old, days=DEFAULT_TRASH_DAYS, minutes=1)
    trashed_for(young, days=DEFAULT_TRASH_DAYS, hours=-1)
    assert trash.purge() == 1
    assert trash.purge() == 0
    names = [old.storage_name, *(store.thumbnail_name(old.storage_name, width) for width in store.THUMBNAILS)]
    for name in names:
        with pytest.raises(NotFound):
            store.read(name)
    for image in (young, kept):
        assert store.read(image.storage_name)
    old.refresh_from_db()
    assert old.purged_at
    entry = AuditEntry.objects.get(action="images.purged")
    assert (entry.workspace, entry.actor_kind, entry.data) == (actor.workspace, "system", {"images": 1})


def test_a_purged_image_cannot_be_restored(actor: Actor) -> None:
    image = make_image(actor)
    trashed_for(image, days=DEFAULT_TRASH_DAYS + 1)
    trash.purge()
    with pytest.raises(NotFound, match="permanently deleted"):
        lookups.trashed_images(actor, [image.id])
    trash.restore(actor=actor, images=[image])
    image.refresh_from_db()
    assert image.trashed_at


def test_purging_stops_at_the_first_image_that_the_storage_cannot_delete(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (3, 2, 1):
        trashed_for(make_image(actor), days=DEFAULT_TRASH_DAYS + days)
    with monkeypatch.context() as broken:
        broken.setattr("editor.media.store.delete", lambda name: 1 / 0)
        assert trash.purge() == 1
        assert trash.empty(actor=actor) == 1
    assert Image.objects.filter(purged_at=None).count() == 1
    assert trash.purge() == 1


def test_files_are_deleted_after_the_commit(
    committed: None, actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young, upload = make_image(actor), make_image(actor), sent(actor)
    trashed_for(old, days=DEFAULT_TRASH_DAYS + 1)
    trash.discard(actor=actor, images=[young])
    expire(upload.id, days=2)
    in_transaction = []
    monkeypatch.setattr(store, "delete", lambda name: in_transaction.append(connection.in_atomic_block))
    assert (trash.purge(), trash.empty(actor=actor), uploads.purge()) == (1, 1, 1)
    files = 1 + len(store.THUMBNAILS)
    assert in_transaction == [False] * (2 * files + 1)


def test_discarding_the_files_of_an_edit_keeps_those_that_others_use(actor: Actor) -> None:
    own, shared, untouched = (make_image(actor) for _ in range(3))
    sample = images.find_or_add_sample(actor=actor, name="cat")
    job = jobs.submit(
        actor=actor,
        request=jobs.NewEdit(
            prompt="combine them",
            model="black-forest-labs/flux-2-pro",
            image_ids=(own.id, shared.id, sample.id),
        ),
    )
    jobs.submit(actor=actor, request=jobs.NewEdit(prompt="make it warmer", image_ids=(shared.id,)))
    with pytest.raises(Conflict):
        trash.discard_files(actor=actor, job=job)
    jobs.cancel(actor=actor, job=job)
    for _ in range(2):
        trash.discard_files(actor=actor, job=Job.objects.get(pk=job.pk))
    assert list(Image.objects.exclude(trashed_at=None)) == [own]
    assert untouched.trashed_at is None


def test_a_character_keeps_its_images(actor: Actor) -> None:
    ada = Character.objects.create(workspace=actor.workspace, name="Ada")
    likeness, other = make_image(actor), make_image(actor)
    CharacterImage.objects.create(character=ada, image=likeness, position=1)
    trash.discard(actor=actor, images=[likeness, other])
    assert trash.empty(actor=actor) == 1
    trashed_for(likeness, days=DEFAULT_TRASH_DAYS + 1)
    assert trash.purge() == 0
    assert store.read(likeness.storage_name)
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="at the sea", character_id=ada.pk))
    assert [place.image for place in job.job_images.all()] == [likeness]
    ada.character_images.all().delete()
    assert trash.purge() == 1


def test_a_purged_image_is_not_used_for_its_character(actor: Actor) -> None:
    ada = Character.objects.create(workspace=actor.workspace, name="Ada")
    for position, image in enumerate((make_image(actor), make_image(actor)), start=1):
        CharacterImage.objects.create(character=ada, image=image, position=position)
    [gone, there] = ada.likenesses
    Image.objects.filter(pk=gone.pk).update(trashed_at=timezone.now(), purged_at=timezone.now())
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="at the sea", character_id=ada.pk))
    assert [place.image for place in job.job_images.all()] == [there]


def test_a_viewer_cannot_discard_the_files_of_an_edit(actor: Actor) -> None:
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="a quiet harbour"))
    ended = jobs.cancel(actor=actor, job=job)
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        trash.discard_files(actor=viewer, job=ended)
