"""Share links, which show one image to anyone who has them: created, shown once, expired or revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

import regex
from django.db import transaction
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import InvalidInput, NotFound
from editor.models import Image, ShareLink, Sharing, Workspace
from editor.operations import audit

DAYS = (1, 7, 30)  # how long a link may live
LONGEST_TITLE = 100  # characters

# Control characters, and those that turn the direction of what follows, also in chats that show the title.
_UNSHOWN = regex.compile(r"[\p{Cc}\u202a-\u202e\u2066-\u2069]")
_VISIBLE = regex.compile(r"[^\p{Z}\p{C}]")


@transaction.atomic
def create(
    *, actor: Actor, image: Image, days: int, title: str = "", with_before: bool = False
) -> tuple[ShareLink, str]:
    """A new link and its token of 256 random bits, which cannot be retrieved again.

    title        shown on the page and in previews of the link, at most LONGEST_TITLE characters; those
                 that nobody sees are left out
    with_before  also shows the image that was edited

    Raises PermissionDenied, or InvalidInput unless `days` is one of DAYS, for a longer title, or if no
    image before this one can be shown.
    """
    actor.require(Permission.SHARE)
    if days not in DAYS:
        raise InvalidInput(f"A link can be valid for {', '.join(map(str, DAYS))} days.")
    title = " ".join(_UNSHOWN.sub(" ", title).split())
    if not _VISIBLE.search(title):
        title = ""
    if len(title) > LONGEST_TITLE:
        raise InvalidInput(f"A title can have at most {LONGEST_TITLE} characters.")
    before = before_of(image) if with_before else None
    if with_before and before is None:
        raise InvalidInput("There is no image before this one that could be shown.")
    token = secrets.token_urlsafe(32)
    share = ShareLink.objects.create(
        image=image,
        created_by=actor.user,
        before=before,
        title=title,
        token_hash=_hash(token),
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(
        workspace=actor.workspace,
        actor=actor,
        action="share.created",
        target=str(image.id),
        data={"days": days, "with_before": with_before, "title": title},
    )
    return share, token


@transaction.atomic
def revoke(*, actor: Actor, share: ShareLink) -> None:
    """Revoke the link at once. Idempotent. Raises PermissionDenied."""
    actor.require(Permission.SHARE)
    if ShareLink.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(
            workspace=actor.workspace, actor=actor, action="share.revoked", target=str(share.image_id)
        )


def before_of(image: Image) -> Image | None:
    """The image that was edited to make this one, unless it is in the trash."""
    return image.parent if image.parent and not image.parent.trashed_at else None


def find(token: str) -> ShareLink:
    """The live link with this token. Raises the same NotFound whatever is wrong with the link."""
    shares = ShareLink.objects.select_related("image__workspace", "before")
    share = shares.filter(token_hash=_hash(token)).first()
    if share is None or not share.is_live or share.image.trashed_at or _is_off(share.image.workspace):
        raise NotFound("This link does not exist, has expired or was revoked.")
    return share


def _is_off(workspace: Workspace) -> bool:
    """Whether no link of the workspace works for now."""
    return workspace.deleted_at is not None or workspace.public_sharing == Sharing.NOBODY


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
