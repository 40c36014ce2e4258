"""API keys: made, shown once, revoked.

A key is `flk_`, 8 characters that name it, 32 that are secret and 6 that check the rest,
all base62. Only a SHA-256 of the secret is kept: the secret has 190 bits of randomness, so
a slow password hash would add nothing but delay to each request.
"""

from __future__ import annotations

import hashlib
import secrets
import string
import zlib
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from editor.errors import InvalidInput
from editor.models import ApiKey, User, Workspace
from editor.operations import audit

PREFIX = "flk_"
SCOPES = ("image_editor",)
LONGEST_LIFE = 10 * 365 * 24 * 60 * 60  # seconds
_ALPHABET = string.digits + string.ascii_letters


@transaction.atomic
def create(
    *,
    workspace: Workspace,
    created_by: User,
    name: str,
    scopes: Sequence[str] = SCOPES,
    expires_in: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its bare text, which cannot be had again.

    `expires_in` is in seconds; None lives until it is revoked. Raises InvalidInput.
    """
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise InvalidInput(f"Unknown scopes: {', '.join(unknown)}. Known: {', '.join(SCOPES)}.")
    if expires_in is not None and not 1 <= expires_in <= LONGEST_LIFE:
        raise InvalidInput(f"A key lives from 1 to {LONGEST_LIFE:,} seconds.")
    public_id, secret = _random(8), _random(32)
    key = ApiKey.objects.create(
        workspace=workspace,
        created_by=created_by,
        name=name,
        public_id=public_id,
        secret_hash=_hash(secret),
        scopes=sorted(set(scopes)),
        expires_at=timezone.now() + timedelta(seconds=expires_in) if expires_in is not None else None,
    )
    audit.record(workspace=workspace, actor=created_by, action="api_key.created", target=str(key))
    return key, f"{PREFIX}{public_id}{secret}{_checksum(public_id + secret)}"


def find(bare: str) -> ApiKey | None:
    """The key with this bare text, live or not; None for anything else."""
    body = bare.removeprefix(PREFIX)
    well_formed = len(bare) == len(PREFIX) + 46 and body != bare and body.isascii() and body.isalnum()
    if not well_formed or _checksum(body[:40]) != body[40:]:
        return None
    return (
        ApiKey.objects.select_related("workspace__plan", "created_by")
        .filter(public_id=body[:8], secret_hash=_hash(body[8:40]))
        .first()
    )


@transaction.atomic
def revoke(*, key: ApiKey, actor: User | None) -> None:
    """End the key at once. Doing it twice is no error."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
        audit.record(workspace=key.workspace, actor=actor, action="api_key.revoked", target=str(key))


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(text: str) -> str:
    """Six base62 digits of a CRC-32: tells a mistyped key without asking the database."""
    number, digits = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = _ALPHABET[digit] + digits
    return digits
