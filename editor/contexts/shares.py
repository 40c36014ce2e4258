"""The dialog for sharing an image by link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from editor.access.actor import Actor
from editor.contexts.gallery import who
from editor.media import links
from editor.models import Image
from editor.operations.shares import DAYS
from editor.queries import gallery


@dataclass(frozen=True, slots=True)
class ShareRow:
    id: UUID
    who: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SharesView:
    """`new_url` is the link just created; it cannot be shown again."""

    image_id: UUID
    thumb_url: str
    rows: list[ShareRow]
    days: tuple[int, ...]
    new_url: str
    may_edit: bool


def shares_view(actor: Actor, image: Image, new_url: str) -> SharesView:
    return SharesView(
        image_id=image.pk,
        thumb_url=links.sign(image.pk, "160"),
        rows=[ShareRow(link.pk, who(link.created_by), link.expires_at) for link in gallery.shares(image)],
        days=DAYS,
        new_url=new_url,
        may_edit=actor.membership.may_edit,
    )
