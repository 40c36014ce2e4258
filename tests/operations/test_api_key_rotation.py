"""Rotating an API key: a new one with the same rights, and both work for a while."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from editor.access import signatures
from editor.access.actor import Actor
from editor.access.scopes import READ
from editor.errors import Conflict, InvalidInput, PermissionDenied
from editor.models import ApiKey, Membership
from editor.operations import api_keys
from tests.factories import make_actor
from tests.operations.key_rows import colleague, fill_up, noted

pytestmark = pytest.mark.django_db

HOUR, DAY = 60 * 60, 24 * 60 * 60


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.mark.parametrize("overlap", api_keys.OVERLAPS)
def test_rotation_makes_an_equal_key_and_the_old_one_works_for_the_overlap(
    actor: Actor, overlap: int
) -> None:
    old, old_bare = api_keys.create(actor=actor, name="n8n", scopes=[READ])
    before = timezone.now()
    new, bare = api_keys.rotate(actor=actor, key=old, overlap=overlap)
    assert bare != old_bare
    assert api_keys.find(bare) == new
    assert (new.name, new.scopes, new.expires_at, new.created_by) == ("n8n", [READ], None, actor.user)
    old.refresh_from_db()
    assert old.expires_at is not None
    ends = timedelta(seconds=overlap)
    assert before + ends <= old.expires_at <= timezone.now() + ends
    assert (old.is_live, new.is_live) == (overlap > 0, True)
    entry = noted("rotated")
    assert (entry.actor, entry.target) == (actor.user, str(old))
    assert entry.after is not None
    assert entry.after["new_key"] == new.public_id


def test_a_new_key_has_the_lifetime_of_the_old_one_whose_expiry_is_not_extended(actor: Actor) -> None:
    old, _ = api_keys.create(actor=actor, name="n8n", expires_in=30 * DAY)
    own_end = timezone.now() + timedelta(hours=2)
    ApiKey.objects.update(created_at=own_end - timedelta(days=30), expires_at=own_end)
    old.refresh_from_db()
    before = timezone.now()
    new, _ = api_keys.rotate(actor=actor, key=old, overlap=DAY)
    assert old.expires_at == own_end
    assert new.expires_at is not None
    assert before <= new.expires_at - timedelta(days=30) <= timezone.now()


def test_a_key_can_be_rotated_only_once(actor: Actor) -> None:
    old, _ = api_keys.create(actor=actor, name="n8n")
    new, _ = api_keys.rotate(actor=actor, key=old, overlap=DAY)
    until = ApiKey.objects.get(pk=old.pk).expires_at
    with pytest.raises(Conflict, match="already been created"):
        api_keys.rotate(actor=actor, key=old, overlap=HOUR)
    assert ApiKey.objects.get(pk=old.pk).expires_at == until, "as the first time said"
    assert ApiKey.objects.count() == 2
    assert api_keys.rotate(actor=actor, key=new, overlap=0)[0].is_live


@pytest.mark.parametrize("ended", ["revoked_at", "expires_at"])
def test_a_revoked_or_expired_key_cannot_be_rotated(actor: Actor, ended: str) -> None:
    key, _ = api_keys.create(actor=actor, name="n8n")
    ApiKey.objects.update(**{ended: timezone.now()})
    with pytest.raises(Conflict, match="no longer works"):
        api_keys.rotate(actor=actor, key=key, overlap=DAY)
    assert ApiKey.objects.count() == 1


@pytest.mark.parametrize("overlap", [-1, 1, 8 * DAY])
def test_only_the_offered_overlaps_are_accepted(actor: Actor, overlap: int) -> None:
    key, _ = api_keys.create(actor=actor, name="n8n")
    with pytest.raises(InvalidInput):
        api_keys.rotate(actor=actor, key=key, overlap=overlap)
    assert ApiKey.objects.get().expires_at is None


def test_only_its_creator_can_rotate_a_key(actor: Actor) -> None:
    editor = colleague(actor)
    theirs, _ = api_keys.create(actor=editor, name="n8n")
    for somebody in (actor, colleague(actor)):
        with pytest.raises(PermissionDenied, match="Only the person who created"):
            api_keys.rotate(actor=somebody, key=theirs, overlap=0)
    Membership.objects.filter(user=editor.user).update(access_image_editor=False)
    with pytest.raises(PermissionDenied):
        api_keys.rotate(actor=make_actor(actor.workspace, user=editor.user), key=theirs, overlap=0)
    assert ApiKey.objects.get().is_live


def test_at_the_limit_a_key_can_be_rotated_only_without_overlap(actor: Actor) -> None:
    fill_up(actor)
    key = ApiKey.objects.first()
    assert key is not None
    with pytest.raises(Conflict, match="at most 50"):
        api_keys.rotate(actor=actor, key=key, overlap=DAY)
    assert ApiKey.objects.get(pk=key.pk).expires_at is None
    assert api_keys.rotate(actor=actor, key=key, overlap=0)[0].is_live


def test_concurrent_rotations_make_one_key(committed: None) -> None:
    actor = make_actor()
    key, _ = api_keys.create(actor=actor, name="n8n")

    def attempt(overlap: int) -> bool:
        try:
            api_keys.rotate(actor=actor, key=ApiKey.objects.get(pk=key.pk), overlap=overlap)
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(attempt, [DAY] * 4))
    assert outcomes.count(True) == 1
    assert ApiKey.objects.count() == 2


def test_rotating_a_signing_key_makes_a_new_signing_secret(actor: Actor) -> None:
    old, _ = api_keys.create(actor=actor, name="Wiro", signed=True)
    new, _ = api_keys.rotate(actor=actor, key=old, overlap=DAY)
    assert signatures.secret_of(new) not in ("", signatures.secret_of(old))
    plain, _ = api_keys.create(actor=actor, name="n8n")
    assert api_keys.rotate(actor=actor, key=plain, overlap=0)[0].signing_secret is None
