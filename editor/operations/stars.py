"""Stars: a person's own marks on images."""

from __future__ import annotations

from collections.abc import Sequence

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.models import Image, Star


def set_starred(*, actor: Actor, images: Sequence[Image], starred: bool) -> None:
    """Star the images for this person, or remove their stars. Idempotent. Raises PermissionDenied."""
    actor.require(Permission.VIEW)
    if starred:
        Star.objects.bulk_create(
            [Star(user=actor.user, image=image) for image in images], ignore_conflicts=True
        )
    else:
        Star.objects.filter(user=actor.user, image__in=images).delete()
