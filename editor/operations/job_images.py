"""The images of an edit: found or created, and the role that each has."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from editor.access import lookups
from editor.access.actor import Actor
from editor.models import Image, JobImage
from editor.operations import images
from editor.operations.images import Stored


def sources(
    actor: Actor, image_ids: Sequence[str | UUID], new_images: Sequence[Stored]
) -> list[Image | Stored]:
    """The edit's images in order."""
    new: dict[str | UUID, Stored] = {stored.id: stored for stored in new_images}
    known = iter(lookups.images(actor, [each for each in image_ids if each not in new]))
    return [new[each] if each in new else next(known) for each in image_ids]


def with_roles(
    actor: Actor, given: Sequence[Image | Stored], likenesses: Sequence[Image], mask: Stored | None
) -> list[tuple[JobImage.Role, Image]]:
    """All images of the edit with their roles; new ones get their rows now."""
    role = JobImage.Role
    places = [(role.REFERENCE if at else role.SOURCE, _row(actor, image)) for at, image in enumerate(given)]
    places += [(role.CHARACTER, image) for image in likenesses]
    return [*places, (role.MASK, _row(actor, mask, kind=Image.Kind.MASK))] if mask else places


def _row(actor: Actor, image: Image | Stored, *, kind: Image.Kind = Image.Kind.SOURCE) -> Image:
    if isinstance(image, Image):
        return image
    return images.create(
        stored=image,
        workspace_id=actor.workspace.id,
        created_by_id=actor.user.pk,
        kind=kind,
    )
