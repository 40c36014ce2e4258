"""The dialog for sharing an image by link, and the page that a link opens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts import pictures
from editor.contexts.gallery import who
from editor.media import links, store
from editor.models import Image, ShareLink
from editor.operations.shares import DAYS, LONGEST_TITLE, before_of
from editor.queries import gallery

PREVIEW = "1280"  # the size of image that the page shows first


@dataclass(frozen=True, slots=True)
class ShareRow:
    id: UUID
    who: str
    expires_at: datetime
    title: str
    with_before: bool


@dataclass(frozen=True, slots=True)
class SharesView:
    """`new_url` is the link just created; it cannot be shown again."""

    image_id: UUID
    thumb_url: str
    rows: list[ShareRow]
    days: tuple[int, ...]
    new_url: str
    may_edit: bool
    has_before: bool
    longest_title: int


@dataclass(frozen=True, slots=True)
class SharedImage:
    """One image of the page that a link opens. `preview_width` in pixels."""

    preview_url: str
    full_url: str
    width: int
    height: int
    preview_width: int
    preview_height: int
    srcset: str
    sizes: str


@dataclass(frozen=True, slots=True)
class SharedPage:
    """What a link shows to people without an account. `origin` begins the absolute links of previews."""

    title: str
    expires_at: datetime
    origin: str
    url: str
    image: SharedImage
    before: SharedImage | None

    @property
    def same_shape(self) -> bool:
        """Whether one image can cover the other: their sides differ by a pixel at most."""
        if self.before is None:
            return False
        scaled = self.before.width * self.image.height / self.before.height
        return abs(scaled - self.image.width) <= 1


def shared_page(share: ShareLink, token: str, origin: str) -> SharedPage:
    before = share.shown_before
    return SharedPage(
        title=share.title or "Shared image",
        expires_at=share.expires_at,
        origin=origin,
        url=reverse("share", args=[token]),
        image=_shared(share.image, "share_file", token),
        before=_shared(before, "share_before_file", token) if before else None,
    )


def _shared(image: Image, name: str, token: str) -> SharedImage:
    scale = min(1, int(PREVIEW) / max(image.width, image.height))
    urls = {variant: reverse(name, args=[token, variant]) for variant in (PREVIEW, store.ORIGINAL)}
    return SharedImage(
        preview_url=urls[PREVIEW],
        full_url=urls[store.ORIGINAL],
        srcset=pictures.srcset(list(urls.items()), width=image.width, height=image.height),
        sizes=pictures.sizes_fitted(width=image.width, height=image.height),
        width=image.width,
        height=image.height,
        preview_width=max(1, round(image.width * scale)),
        preview_height=max(1, round(image.height * scale)),
    )


def shares_view(actor: Actor, image: Image, new_url: str) -> SharesView:
    return SharesView(
        image_id=image.pk,
        thumb_url=links.sign(image.pk, "160"),
        rows=[_row(link) for link in gallery.shares(image)],
        days=DAYS,
        new_url=new_url,
        may_edit=actor.may(Permission.SHARE),
        has_before=before_of(image) is not None,
        longest_title=LONGEST_TITLE,
    )


def _row(link: ShareLink) -> ShareRow:
    return ShareRow(
        id=link.pk,
        who=who(link.created_by),
        expires_at=link.expires_at,
        title=link.title,
        with_before=link.before_id is not None,
    )
