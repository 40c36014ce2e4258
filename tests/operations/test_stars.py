"""Stars belong to a user, not to the workspace."""

from __future__ import annotations

import pytest

from editor.models import Star
from editor.operations import stars
from tests.factories import make_actor, make_image, make_member

pytestmark = pytest.mark.django_db


def test_stars_are_per_user_and_idempotent() -> None:
    actor = make_actor()
    other = make_actor(actor.workspace, user=make_member(actor.workspace))
    image, second = make_image(actor), make_image(actor)
    stars.set_starred(actor=actor, images=[image], starred=True)
    stars.set_starred(actor=actor, images=[image, second], starred=True)
    stars.set_starred(actor=other, images=[image], starred=True)
    stars.set_starred(actor=actor, images=[image], starred=False)
    stars.set_starred(actor=actor, images=[image], starred=False)
    assert set(Star.objects.values_list("user", "image")) == {
        (actor.user.pk, second.pk),
        (other.user.pk, image.pk),
    }
