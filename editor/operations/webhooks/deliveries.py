"""What is to be told to whom, from the transaction in which it happened until it is delivered.

A row says what to send where; the queue only says "look there". Few are sent at once to each
receiver: a task takes what is due there, one after the other, until nothing is or enough others
are at it. A receiver that is dead or slow makes nobody else wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from editor.access.actor import Actor
from editor.errors import Conflict
from editor.models import (
    CreditAccount,
    Event,
    Job,
    Status,
    WebhookDelivery,
    WebhookEndpoint,
)
from editor.operations import audit, queue

AT_ONCE = 3  # to one receiver, for one workspace
# Seconds from each failed try to the next: eight tries within a day.
PAUSES = (5, 5 * 60, 30 * 60, 90 * 60, 4 * 3600, 8 * 3600, 35_695)
LONGEST_PAUSE = 24 * 3600  # seconds that a receiver may ask for
# A claim this old is of a worker that died; sending takes a quarter of it at most.
CLAIM_SECONDS = 60
SHOWN_ATTEMPTS = 20
KEPT = timedelta(days=30)
_BATCH = 500

State = WebhookDelivery.State
_EVENTS = {
    Status.COMPLETED: Event.COMPLETED,
    Status.FAILED: Event.FAILED,
    Status.CANCELED: Event.CANCELED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of one try.

    status       HTTP's, None where there was no answer
    milliseconds it took
    words        what went wrong, for people; "" when it was taken
    gone         the receiver wants nothing any more, and is not tried again
    retry_after  seconds that the receiver wants to be left alone
    """

    status: int | None
    milliseconds: int
    message: str = ""
    gone: bool = False
    retry_after: int = 0


def job_ended(*, job: Job) -> None:
    """Tell of a job that has just ended. Belongs to the transaction that ends it."""
    event = _EVENTS[Status(job.status)]
    rows = [
        _row(workspace_id=job.workspace_id, event=event, url=endpoint.url, endpoint=endpoint, job=job)
        for endpoint in _listening(job.workspace_id, event)
    ]
    if job.callback_url:
        rows.append(_row(workspace_id=job.workspace_id, event=event, url=job.callback_url, job=job))
    _send(rows)


def balance_fell(*, account: CreditAccount, before: int) -> None:
    """Tell when it fell below the workspace's mark. Belongs to the transaction that changed it."""
    if not account.balance < account.low_balance_threshold <= before:
        return
    data = {
        "balance": account.balance,
        "low_mark": account.low_balance_threshold,
        "at": timezone.now().isoformat(),
    }
    _send(
        _row(
            workspace_id=account.workspace_id,
            event=Event.CREDITS_LOW,
            url=endpoint.url,
            endpoint=endpoint,
            data=data,
        )
        for endpoint in _listening(account.workspace_id, Event.CREDITS_LOW)
    )


@transaction.atomic
def test(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send something that means nothing; once to one that is switched off. Raises PermissionDenied."""
    actor.require_manager()
    row = _row(
        workspace_id=endpoint.workspace_id,
        event=Event.TEST,
        url=endpoint.url,
        endpoint=endpoint,
        data={"at": timezone.now().isoformat()},
    )
    _send([row])
    return row


@transaction.atomic
def resend(*, actor: Actor, delivery: WebhookDelivery) -> None:
    """Send it once more, now, with eight tries, or one where its endpoint is switched off.

    Raises PermissionDenied, and Conflict while it is sent.
    """
    actor.require_manager()
    again = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=State.SENDING)
    if not again.update(state=State.WAITING, tries=0, next_try_at=timezone.now(), delivered_at=None):
        raise Conflict("This delivery is being sent right now.")
    queue.enqueue_delivery(delivery_id=delivery.pk)
    audit.record(
        workspace=actor.workspace, actor=actor.user, action="webhook.resent", target=str(delivery.pk)
    )


def find(delivery_id: UUID) -> WebhookDelivery | None:
    """The delivery; None when its endpoint was deleted meanwhile."""
    return WebhookDelivery.objects.filter(pk=delivery_id).first()


@transaction.atomic
def claim(*, like: WebhookDelivery) -> WebhookDelivery | None:
    """What is due next at the receiver of `like`, to be sent now.

    None when nothing is, or AT_ONCE are being sent there.
    """
    with connection.cursor() as cursor:
        # One at a time, so that no two count the same ones.
        lock = [str(like.workspace_id), like.receiver]
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", lock)
    there = WebhookDelivery.objects.filter(workspace=like.workspace_id, receiver=like.receiver)
    if there.filter(state=State.SENDING).count() >= AT_ONCE:
        return None
    now = timezone.now()
    row = there.filter(state=State.WAITING, next_try_at__lte=now).order_by("next_try_at").first()
    if row is not None:
        row.state, row.claimed_at = State.SENDING, now
        row.save(update_fields=["state", "claimed_at"])
    return row


@transaction.atomic
def record_attempt(*, delivery: WebhookDelivery, attempt: Attempt) -> None:
    """Write down what came of sending it, and when it is tried again.

    It is not where its endpoint was switched off meanwhile.
    """
    now = timezone.now()
    # First the endpoint, then its deliveries: in the order in which they are removed.
    same = WebhookDelivery.objects.filter(pk=delivery.pk)
    is_off = bool(attempt.message) and bool(_switched_off(same))
    if attempt.gone and delivery.endpoint_id:
        WebhookEndpoint.objects.filter(pk=delivery.endpoint_id).update(
            is_enabled=False, note="Disabled because it responded with 410 Gone."
        )
        give_up(endpoint_id=delivery.endpoint_id)
    row = (
        same.select_for_update(of=("self",), no_key=True)
        .filter(state=State.SENDING, claimed_at=delivery.claimed_at)
        .first()
    )
    if row is None:
        return  # another worker thought this one dead, or it was deleted meanwhile
    row.tries += 1
    row.attempts = [*row.attempts, _shown(attempt, now)][-SHOWN_ATTEMPTS:]
    row.claimed_at = row.next_try_at = None
    if not attempt.message:
        row.state, row.delivered_at = State.DELIVERED, now
    elif attempt.gone or is_off or row.tries > len(PAUSES):
        row.state = State.FAILED
    else:
        pause = max(PAUSES[row.tries - 1], min(attempt.retry_after, LONGEST_PAUSE))
        row.state, row.next_try_at = State.WAITING, now + timedelta(seconds=pause)
        queue.enqueue_delivery(delivery_id=row.pk, at=row.next_try_at)
    row.save()


def give_up(*, endpoint_id: UUID) -> None:
    """Send nothing of what waits for an endpoint that is switched off; it can be sent again.

    Belongs to the transaction that switches it off, and that holds its row. What is being sent at
    this moment is not tried again either: see `_switched_off`.
    """
    WebhookDelivery.objects.filter(endpoint=endpoint_id, state=State.WAITING).update(
        state=State.FAILED, next_try_at=None
    )


@transaction.atomic
def release(*, delivery: WebhookDelivery) -> None:
    """Let another worker send it at once: this one must end."""
    claimed = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.SENDING, claimed_at=delivery.claimed_at
    )
    if _wait_again(claimed):
        queue.enqueue_delivery(delivery_id=delivery.pk)


def requeue_lost() -> int:
    """Have those sent whose worker died, or that the queue forgot; how many receivers that concerns."""
    long_ago = timezone.now() - timedelta(seconds=CLAIM_SECONDS)
    lost = WebhookDelivery.objects.filter(
        Q(state=State.SENDING, claimed_at__lt=long_ago) | Q(state=State.WAITING, next_try_at__lt=long_ago)
    )
    first_of_each = lost.order_by("workspace", "receiver", "created_at").distinct("workspace", "receiver")
    count = 0
    for row in list(first_of_each[:_BATCH]):
        with transaction.atomic():
            there = WebhookDelivery.objects.filter(workspace=row.workspace_id, receiver=row.receiver)
            _wait_again(there.filter(state=State.SENDING, claimed_at__lt=long_ago))
            queue.enqueue_delivery(delivery_id=row.pk)
            count += 1
    return count


def purge() -> int:
    """Forget what was told a month ago; how many rows."""
    old = WebhookDelivery.objects.filter(
        created_at__lt=timezone.now() - KEPT, state__in=[State.DELIVERED, State.FAILED]
    )
    return old.delete()[0]


def _wait_again(claimed: QuerySet[WebhookDelivery]) -> int:
    """Let others send what was claimed, but for endpoints that were switched off meanwhile; how many."""
    off = _switched_off(claimed)
    claimed.filter(endpoint__in=off).update(state=State.FAILED, claimed_at=None, next_try_at=None)
    return claimed.update(state=State.WAITING, next_try_at=timezone.now(), claimed_at=None)


def _switched_off(rows: QuerySet[WebhookDelivery]) -> list[UUID]:
    """Their endpoints that are off. None of them is switched on or off until the transaction ends."""
    endpoints = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk__in=rows.values("endpoint"))
    return [row.pk for row in endpoints.order_by("pk").only("is_enabled") if not row.is_enabled]


def _listening(workspace_id: Any, event: Event) -> Iterable[WebhookEndpoint]:
    """Who is to be told. They stay until the transaction ends: see `webhooks.remove`.

    Removed meanwhile, their deliveries would undo the end of the job. Django has no such lock; a
    stronger one would have transactions wait for each other that only tell.
    """
    return WebhookEndpoint.objects.raw(
        "SELECT id, url FROM editor_webhookendpoint"
        " WHERE workspace_id = %s AND is_enabled AND %s = ANY(events) FOR KEY SHARE",
        [workspace_id, event.value],
    )


def _row(*, url: str, **fields: Any) -> WebhookDelivery:
    parts = urlsplit(url)
    receiver = f"{parts.scheme}://{parts.netloc.rpartition('@')[2].lower()}"
    return WebhookDelivery(url=url, receiver=receiver[:340], next_try_at=timezone.now(), **fields)


def _send(rows: Iterable[WebhookDelivery]) -> None:
    for row in WebhookDelivery.objects.bulk_create(rows):
        queue.enqueue_delivery(delivery_id=row.pk)


def _shown(attempt: Attempt, now: datetime) -> dict[str, Any]:
    return {
        "at": now.isoformat(timespec="milliseconds"),
        "status": attempt.status,
        "milliseconds": attempt.milliseconds,
        "message": attempt.message,
    }
