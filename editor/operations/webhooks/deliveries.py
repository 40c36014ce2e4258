"""Webhook deliveries, from the transaction in which an event happened until it is delivered.

A row says what to send where; the queue only says "check this receiver". Each receiver gets few
messages at once: a task sends what is due there, one by one, until nothing is due or enough other
tasks are sending. A dead or slow receiver delays no others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from editor.access.actor import Actor
from editor.access.permissions import Permission
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
# Seconds from each failed attempt to the next: eight attempts within a day.
PAUSES = (5, 5 * 60, 30 * 60, 90 * 60, 4 * 3600, 8 * 3600, 35_695)
LONGEST_PAUSE = 24 * 3600  # seconds that a receiver may request
# A claim this old belongs to a dead worker; sending takes at most a quarter of it.
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
    """The outcome of one attempt.

    status       the HTTP status, None without a response
    milliseconds how long it took
    message      what went wrong, for people; "" on success
    gone         the receiver wants no more messages, and is not retried
    retry_after  seconds that the receiver requests to wait
    """

    status: int | None
    milliseconds: int
    message: str = ""
    gone: bool = False
    retry_after: int = 0


def job_ended(*, job: Job) -> None:
    """Send the end of a job. Belongs to the transaction that ends it."""
    event = _EVENTS[Status(job.status)]
    rows = [
        _row(workspace_id=job.workspace_id, event=event, url=endpoint.url, endpoint=endpoint, job=job)
        for endpoint in _subscribed(job.workspace_id, event)
    ]
    if job.callback_url:
        rows.append(_row(workspace_id=job.workspace_id, event=event, url=job.callback_url, job=job))
    _send(rows)


def approval_changed(*, job: Job, event: Event) -> None:
    """Send approval.requested, .granted or .declined. Belongs to the transaction in which it happened."""
    _send(
        _row(workspace_id=job.workspace_id, event=event, url=endpoint.url, endpoint=endpoint, job=job)
        for endpoint in _subscribed(job.workspace_id, event)
    )


def balance_fell(*, account: CreditAccount) -> None:
    """Send credits.low. Belongs to the transaction in which the balance fell below the threshold."""
    data = {"balance": account.balance, "low_mark": account.low_balance_threshold}
    _send_event(account, Event.CREDITS_LOW, data)


def budget_reached(*, account: CreditAccount, percent: int, budget: int, spent: int, month: date) -> None:
    """Send budget.reached. Belongs to the transaction in which the credits were spent."""
    data = {"percent": percent, "budget": budget, "spent": spent, "month": f"{month:%Y-%m}"}
    _send_event(account, Event.BUDGET_REACHED, data)


def _send_event(account: CreditAccount, event: Event, data: dict[str, Any]) -> None:
    at = timezone.now().isoformat()
    _send(
        _row(
            workspace_id=account.workspace_id,
            event=event,
            url=endpoint.url,
            endpoint=endpoint,
            data={**data, "at": at},
        )
        for endpoint in _subscribed(account.workspace_id, event)
    )


@transaction.atomic
def test(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookDelivery:
    """Send a test event, once to a disabled endpoint. Raises PermissionDenied."""
    actor.require(Permission.WEBHOOKS_MANAGE)
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
    """Send it once more, now, with eight attempts, or one if its endpoint is disabled.

    Raises PermissionDenied, and Conflict while it is being sent.
    """
    actor.require(Permission.WEBHOOKS_MANAGE)
    again = WebhookDelivery.objects.filter(pk=delivery.pk).exclude(state=State.SENDING)
    if not again.update(state=State.WAITING, tries=0, next_try_at=timezone.now(), delivered_at=None):
        raise Conflict("This delivery is being sent right now.")
    queue.enqueue_delivery(delivery_id=delivery.pk)
    audit.record(workspace=actor.workspace, actor=actor, action="webhook.resent", target=delivery.receiver)


def find(delivery_id: UUID) -> WebhookDelivery | None:
    """The delivery; None if its endpoint was deleted in the meantime."""
    return WebhookDelivery.objects.filter(pk=delivery_id).first()


@transaction.atomic
def claim(*, like: WebhookDelivery) -> WebhookDelivery | None:
    """Claim the next due delivery to the receiver of `like`, to be sent now.

    None if nothing is due, AT_ONCE are being sent there, or the workspace was deleted: then they wait.
    """
    with connection.cursor() as cursor:
        # One at a time, so that no two workers count the same deliveries.
        lock = [str(like.workspace_id), like.receiver]
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s), hashtext(%s))", lock)
    there = WebhookDelivery.objects.filter(
        workspace=like.workspace_id, workspace__deleted_at=None, receiver=like.receiver
    )
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
    """Save the outcome of an attempt, and schedule the next one.

    It is not retried if its endpoint was disabled in the meantime.
    """
    now = timezone.now()
    # Lock the endpoint before its deliveries: the order in which they are removed.
    same = WebhookDelivery.objects.filter(pk=delivery.pk)
    is_disabled = bool(attempt.message) and bool(_disabled(same))
    if attempt.gone and delivery.endpoint_id:
        _disable_gone(delivery)
    row = (
        same.select_for_update(of=("self",), no_key=True)
        .filter(state=State.SENDING, claimed_at=delivery.claimed_at)
        .first()
    )
    if row is None:
        return  # another worker considered this one dead, or it was deleted in the meantime
    row.tries += 1
    row.attempts = [*row.attempts, _shown(attempt, now)][-SHOWN_ATTEMPTS:]
    row.claimed_at = row.next_try_at = None
    if not attempt.message:
        row.state, row.delivered_at = State.DELIVERED, now
    elif attempt.gone or is_disabled or row.tries > len(PAUSES):
        row.state = State.FAILED
    else:
        pause = max(PAUSES[row.tries - 1], min(attempt.retry_after, LONGEST_PAUSE))
        row.state, row.next_try_at = State.WAITING, now + timedelta(seconds=pause)
        queue.enqueue_delivery(delivery_id=row.pk, at=row.next_try_at)
    row.save()


def _disable_gone(delivery: WebhookDelivery) -> None:
    assert delivery.endpoint_id
    endpoint = WebhookEndpoint.objects.filter(pk=delivery.endpoint_id, is_enabled=True)
    if endpoint.update(is_enabled=False, note="Disabled because it responded with 410 Gone."):
        audit.record(
            workspace=delivery.workspace, actor=None, action="webhook.disabled", target=delivery.receiver
        )
    give_up(endpoint_id=delivery.endpoint_id)


def give_up(*, endpoint_id: UUID) -> None:
    """Abandon the deliveries that wait for an endpoint that is being disabled; they can be resent.

    Belongs to the transaction that disables it and has its row locked. A delivery that is being
    sent right now is not retried either: see `_disabled`.
    """
    WebhookDelivery.objects.filter(endpoint=endpoint_id, state=State.WAITING).update(
        state=State.FAILED, next_try_at=None
    )


@transaction.atomic
def release(*, delivery: WebhookDelivery) -> None:
    """Let another worker send it at once: this one is shutting down."""
    claimed = WebhookDelivery.objects.filter(
        pk=delivery.pk, state=State.SENDING, claimed_at=delivery.claimed_at
    )
    if _requeue(claimed):
        queue.enqueue_delivery(delivery_id=delivery.pk)


def requeue_lost() -> int:
    """Requeue deliveries of dead workers and those lost by the queue; returns how many receivers."""
    long_ago = timezone.now() - timedelta(seconds=CLAIM_SECONDS)
    lost = WebhookDelivery.objects.filter(
        Q(state=State.SENDING, claimed_at__lt=long_ago) | Q(state=State.WAITING, next_try_at__lt=long_ago),
        workspace__deleted_at=None,
    )
    first_of_each = lost.order_by("workspace", "receiver", "created_at").distinct("workspace", "receiver")
    count = 0
    for row in list(first_of_each[:_BATCH]):
        with transaction.atomic():
            there = WebhookDelivery.objects.filter(workspace=row.workspace_id, receiver=row.receiver)
            _requeue(there.filter(state=State.SENDING, claimed_at__lt=long_ago))
            queue.enqueue_delivery(delivery_id=row.pk)
            count += 1
    return count


def purge() -> int:
    """Delete finished deliveries that are a month old; returns how many."""
    old = WebhookDelivery.objects.filter(
        created_at__lt=timezone.now() - KEPT, state__in=[State.DELIVERED, State.FAILED]
    )
    return old.delete()[0]


def _requeue(claimed: QuerySet[WebhookDelivery]) -> int:
    """Let others send claimed deliveries, except to endpoints disabled in the meantime; returns how many."""
    disabled = _disabled(claimed)
    claimed.filter(endpoint__in=disabled).update(state=State.FAILED, claimed_at=None, next_try_at=None)
    return claimed.update(state=State.WAITING, next_try_at=timezone.now(), claimed_at=None)


def _disabled(rows: QuerySet[WebhookDelivery]) -> list[UUID]:
    """The disabled ones of their endpoints. All stay locked until the transaction ends."""
    endpoints = WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk__in=rows.values("endpoint"))
    return [row.pk for row in endpoints.order_by("pk").only("is_enabled") if not row.is_enabled]


def _subscribed(workspace_id: Any, event: Event) -> Iterable[WebhookEndpoint]:
    """The endpoints subscribed to the event. They stay until the transaction ends: see `endpoints.remove`.

    If one were removed in the meantime, its delivery would roll back the end of the job. Django has no
    such lock; a stronger one would make transactions that only notify wait for each other.
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
