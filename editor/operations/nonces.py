"""Nonces of signed requests: each lets a key change something once, see access/signatures.py."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from editor.access import signatures
from editor.models import ApiKey, SpentNonce

_BATCH = 1000  # in one go


def spend(*, key: ApiKey, call: str, nonce: str, body_hash: str, repeatable: bool = False) -> None:
    """Use a nonce up for this call. To be done after the body was read, before anything changes.

    call        "Run", "Kill", ...: what a nonce does for one of them says nothing of another
    repeatable  the same body again is no harm, and let through

    Nothing happens for a key that does not sign. Raises NotSigned; of two at once one gets through.
    """
    if key.signing_secret is None:
        return
    spent, is_new = SpentNonce.objects.get_or_create(
        key=key, call=call, nonce=nonce, defaults={"body_hash": body_hash}
    )
    if not is_new and not (repeatable and spent.body_hash == body_hash):
        raise signatures.refusal()


def forget() -> int:
    """Delete nonces that no request can use any more; how many.

    Those that are times, once they are out of their window, and all of keys that have ended.
    """
    now = timezone.now()
    # One from five minutes ahead of now is good for ten.
    outdated = Q(
        nonce__regex=signatures.TIME, created_at__lt=now - timedelta(seconds=2 * signatures.WINDOW + 60)
    )
    ended = Q(key__revoked_at__lt=now) | Q(key__expires_at__lt=now)
    due = SpentNonce.objects.filter(outdated | ended).values("pk")[:_BATCH]
    count, _ = SpentNonce.objects.filter(pk__in=due).delete()
    return count
