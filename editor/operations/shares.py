"""Share links, which show one image to anyone who has them: created, shown once, expired or revoked."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import InvalidInput, NotFound
from editor.models import Image, ShareLink
from editor.operations import audit

DAYS = (1, 7, 30)  # how long a link may live


@transaction.atomic
def create(*, actor: Actor, image: Image, days: int) -> tuple[ShareLink, str]:
    """A new link and its token of 256 random bits, which cannot be retrieved again.

    Raises PermissionDenied, or InvalidInput unless `days` is one of DAYS.
    """
    actor.require_editor()
    if days not in DAYS:
        raise InvalidInput(f"A link can be valid for {', '.join(map(str, DAYS))} days.")
    token = secrets.token_urlsafe(32)
    share = ShareLink.objects.create(
        image=image,
        created_by=actor.user,
        token_hash=_hash(token),
        expires_at=timezone.now() + timedelta(days=days),
    )
    audit.record(
        workspace=actor.workspace,
        actor=actor.user,
        action="share.created",
        target=str(image.id),
        data={"days": days},
    )
    return share, token


@transaction.atomic
def revoke(*, actor: Actor, share: ShareLink) -> None:
    """Revoke the link at once. Idempotent. Raises PermissionDenied."""
    actor.require_editor()
    if ShareLink.objects.filter(pk=share.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(
            workspace=actor.workspace, actor=actor.user, action="share.revoked", target=str(share.image_id)
        )


def find(token: str) -> Image:
    """The image behind a live link. Raises the same NotFound whatever is wrong with the link."""
    share = ShareLink.objects.select_related("image").filter(token_hash=_hash(token)).first()
    if share is None or not share.is_live or share.image.trashed_at:
        raise NotFound("This link does not exist, has expired or was revoked.")
    return share.image


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
