"""Share links: shown once, stored as a hash, ended by expiry, revocation or the loss of their image."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from editor.access import lookups
from editor.access.actor import Actor
from editor.errors import InvalidInput, NotFound, PermissionDenied
from editor.models import Role, ShareLink
from editor.operations import shares, trash
from tests.factories import make_actor, make_image, make_member

pytestmark = pytest.mark.django_db


@pytest.fixture
def actor() -> Actor:
    return make_actor()


def test_a_link_finds_its_image_and_its_token_is_not_stored(actor: Actor) -> None:
    image = make_image(actor)
    share, token = shares.create(actor=actor, image=image, days=7)
    assert shares.find(token).image == image
    row = ShareLink.objects.filter(pk=share.pk).values().get()
    assert all(token not in str(value) for value in row.values())
    assert len(token) >= 43
    assert str(image.id) not in token


def test_links_to_the_same_image_are_revoked_separately(actor: Actor) -> None:
    image = make_image(actor)
    first, first_token = shares.create(actor=actor, image=image, days=1)
    _, second_token = shares.create(actor=actor, image=image, days=1)
    shares.revoke(actor=actor, share=first)
    shares.revoke(actor=actor, share=first)
    with pytest.raises(NotFound):
        shares.find(first_token)
    assert shares.find(second_token).image == image


def test_an_expired_link_looks_like_an_unknown_one(actor: Actor) -> None:
    share, token = shares.create(actor=actor, image=make_image(actor), days=1)
    long_ago = timezone.now() - timedelta(days=3)
    ShareLink.objects.filter(pk=share.pk).update(created_at=long_ago, expires_at=long_ago + timedelta(days=1))
    with pytest.raises(NotFound) as expired:
        shares.find(token)
    with pytest.raises(NotFound) as unknown:
        shares.find("no-such-token")
    assert expired.value.message == unknown.value.message


def test_a_trashed_image_is_not_shown_and_a_restored_one_is_again(actor: Actor) -> None:
    image = make_image(actor)
    _, token = shares.create(actor=actor, image=image, days=30)
    trash.discard(actor=actor, images=[image])
    with pytest.raises(NotFound):
        shares.find(token)
    trash.restore(actor=actor, images=[image])
    assert shares.find(token).image == image


@pytest.mark.parametrize("days", [0, 2, 365, -1])
def test_only_the_offered_lifetimes_are_accepted(actor: Actor, days: int) -> None:
    with pytest.raises(InvalidInput):
        shares.create(actor=actor, image=make_image(actor), days=days)


def test_a_viewer_can_neither_create_nor_revoke_links(actor: Actor) -> None:
    image = make_image(actor)
    share, _ = shares.create(actor=actor, image=image, days=1)
    viewer = make_actor(actor.workspace, user=make_member(actor.workspace, role=Role.VIEWER))
    with pytest.raises(PermissionDenied):
        shares.create(actor=viewer, image=image, days=1)
    with pytest.raises(PermissionDenied):
        shares.revoke(actor=viewer, share=share)


def test_a_link_of_another_workspace_is_not_found(actor: Actor) -> None:
    share, _ = shares.create(actor=actor, image=make_image(actor), days=1)
    assert lookups.share(actor, share.id) == share
    with pytest.raises(NotFound):
        lookups.share(make_actor(name="Rivals"), share.id)
