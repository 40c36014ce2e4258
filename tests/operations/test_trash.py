"""Images in the trash are out of sight and out of reach, come back whole, and are gone after weeks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import Conflict, NotFound, PermissionDenied
from editor.media import store
from editor.models import AuditEntry, Image, Job, Role
from editor.operations import images, jobs, trash
from tests.factories import make_actor, make_image, make_member

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


def test_both_acts_are_noted_with_who_did_them(actor: Actor) -> None:
    images = [make_image(actor), make_image(actor)]
    trash.discard(actor=actor, images=images)
    trash.discard(actor=actor, images=images)  # once more is no act
    trash.restore(actor=actor, images=images[:1])
    noted = AuditEntry.objects.filter(action__startswith="images.").order_by("id")
    assert [(entry.action, entry.data["images"], entry.actor) for entry in noted] == [
        ("images.trashed", 2, actor.user),
        ("images.restored", 1, actor.user),
    ]


def test_a_viewer_can_neither_throw_away_nor_restore(actor: Actor) -> None:
    image = make_image(actor)
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        trash.discard(actor=viewer, images=[image])
    trash.discard(actor=actor, images=[image])
    with pytest.raises(PermissionDenied):
        trash.restore(actor=viewer, images=[image])


def test_another_workspaces_image_stays_where_it_is(actor: Actor) -> None:
    image = make_image(actor)
    trash.discard(actor=make_actor(name="Rivals"), images=[image])
    image.refresh_from_db()
    assert image.trashed_at is None


def test_after_its_days_the_files_are_gone_and_the_row_stays(actor: Actor) -> None:
    old, young, kept = (make_image(actor) for _ in range(3))
    trashed_for(old, days=trash.KEPT_DAYS, minutes=1)
    trashed_for(young, days=trash.KEPT_DAYS, hours=-1)
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


def test_what_is_gone_cannot_be_restored(actor: Actor) -> None:
    image = make_image(actor)
    trashed_for(image, days=trash.KEPT_DAYS + 1)
    trash.purge()
    with pytest.raises(NotFound, match="permanently deleted"):
        lookups.trashed_images(actor, [image.id])
    trash.restore(actor=actor, images=[image])
    image.refresh_from_db()
    assert image.trashed_at


def test_a_store_that_fails_keeps_the_image_for_the_next_time(
    actor: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    image = make_image(actor)
    trashed_for(image, days=trash.KEPT_DAYS + 1)
    with monkeypatch.context() as broken:
        broken.setattr("editor.media.store.delete", lambda name: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trash.purge()
    image.refresh_from_db()
    assert image.purged_at is None
    assert trash.purge() == 1


def test_the_files_of_an_edit_go_without_those_that_others_use(actor: Actor) -> None:
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


def test_a_viewer_cannot_throw_away_the_files_of_an_edit(actor: Actor) -> None:
    job = jobs.submit(actor=actor, request=jobs.NewEdit(prompt="a quiet harbour"))
    ended = jobs.cancel(actor=actor, job=job)
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        trash.discard_files(actor=viewer, job=ended)
