"""Repeated requests start one job: by the caller's idempotency key, for a day, or if marked as a retry."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import InvalidInput, Unprocessable
from editor.models import Job, Status

REMEMBERED = timedelta(hours=24)
LONGEST_KEY = 80  # characters
SENT_AGAIN_WITHIN = timedelta(minutes=30)  # clients wait ten minutes for a response, and try three times


def find_repeat(*, actor: Actor, key: str, request_hash: str, sent_again: bool) -> Job | None:
    """The job of an identical earlier request: by its key, or if the caller marks this one as a retry.

    Raises InvalidInput for a malformed key, and as `find` does.
    """
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(f"An Idempotency-Key has at most {LONGEST_KEY} printable characters of ASCII.")
    if key:
        return find(actor=actor, key=key, request_hash=request_hash)
    return find_sent_before(actor=actor, request_hash=request_hash) if sent_again else None


def find(*, actor: Actor, key: str, request_hash: str = "") -> Job | None:
    """The job that this key started through the same channel, marked as `repeated`.

    request_hash  of the whole request, if the channel computes one. Raises Unprocessable if the key
                  came with another request.
    """
    since = timezone.now() - REMEMBERED
    same_key = Job.objects.filter(workspace=actor.workspace, channel=actor.channel, idempotency_key=key)
    job = same_key.filter(created_at__gte=since).first()
    if job is None:
        return None
    if job.request_hash != request_hash:
        raise Unprocessable("This Idempotency-Key was already used for a different request. Use a new key.")
    job.repeated = True
    return job


def find_sent_before(*, actor: Actor, request_hash: str) -> Job | None:
    """The recent job of this person's identical request without a key, marked as `repeated`.

    For programs that mark a request as a retry after a missing response. A failed or canceled job does
    not count: it was free.
    """
    job = (
        Job.objects.filter(
            workspace=actor.workspace,
            created_by=actor.user,
            channel=actor.channel,
            idempotency_key=None,
            request_hash=request_hash,
            created_at__gte=timezone.now() - SENT_AGAIN_WITHIN,
        )
        .exclude(status__in=(Status.FAILED, Status.CANCELED))
        .order_by("-created_at")
        .first()
    )
    if job:
        job.repeated = True
    return job


def free(*, actor: Actor, key: str) -> None:
    """Free a key older than a day for reuse. Belongs to the transaction that uses it."""
    before = timezone.now() - REMEMBERED
    Job.objects.filter(
        workspace=actor.workspace, channel=actor.channel, idempotency_key=key, created_at__lt=before
    ).update(idempotency_key=None)
