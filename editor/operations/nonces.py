"""Nonces of signed requests: each lets a key change something once, see access/signatures.py."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from editor.access import signatures
from editor.models import ApiKey, SpentNonce

_BATCH = 1000  # per call


def spend(*, key: ApiKey, call: str, nonce: str, body_hash: str, repeatable: bool = False) -> None:
    """Use up a nonce for this call. Call it after the body was read and before anything changes.

    call        "Run", "Kill", ...: each has nonces of its own
    repeatable  a repeat with the same body is harmless and allowed

    Does nothing for a key that does not sign. Raises NotSigned; of two concurrent calls one succeeds.
    """
    if key.signing_secret is None:
        return
    spent, is_new = SpentNonce.objects.get_or_create(
        key=key, call=call, nonce=nonce, defaults={"body_hash": body_hash}
    )
    if not is_new and not (repeatable and spent.body_hash == body_hash):
        raise signatures.refusal()


def forget() -> int:
    """Delete nonces that no request can use any more; returns how many.

    Those are timestamps out of their window, and all nonces of keys that have ended.
    """
    now = timezone.now()
    # A nonce from five minutes in the future is valid for ten.
    outdated = Q(
        nonce__regex=signatures.TIME, created_at__lt=now - timedelta(seconds=2 * signatures.WINDOW + 60)
    )
    ended = Q(key__revoked_at__lt=now) | Q(key__expires_at__lt=now)
    due = SpentNonce.objects.filter(outdated | ended).values("pk")[:_BATCH]
    count, _ = SpentNonce.objects.filter(pk__in=due).delete()
    return count
