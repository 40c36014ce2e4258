"""The Webhooks page of a workspace's settings."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from editor.access.actor import Actor
from editor.models import Event, WebhookDelivery, WebhookEndpoint
from editor.operations import credits
from editor.operations.webhooks.endpoints import EVENTS
from editor.queries import webhooks

_SOON = timedelta(seconds=30)
State = WebhookDelivery.State


@dataclass(frozen=True, slots=True)
class Attempt:
    at: datetime
    status: int | None
    milliseconds: int
    message: str


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """events        all events: (name, meaning, whether this endpoint is subscribed)
    last_attempt  result of the latest attempt of its newest delivery that has one
    """

    id: UUID
    url: str
    events: list[tuple[str, str, bool]]
    is_enabled: bool
    note: str
    last_attempt: Attempt | None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """receiver  without its path and query, which may contain secrets"""

    id: UUID
    event: str
    receiver: str
    is_callback: bool
    job_id: UUID | None
    created_at: datetime
    state: str
    badge: str
    next_try_at: datetime | None
    attempts: list[Attempt]
    may_resend: bool


@dataclass(frozen=True, slots=True)
class WebhooksView:
    """is_moving  a delivery is being sent, or will be soon"""

    endpoints: list[EndpointRow]
    deliveries: list[DeliveryRow]
    low_balance_threshold: int
    is_moving: bool


def webhooks_view(actor: Actor) -> WebhooksView:
    deliveries = webhooks.deliveries(actor.workspace)
    soon = timezone.now() + _SOON
    return WebhooksView(
        endpoints=[_endpoint(row) for row in webhooks.endpoints(actor.workspace)],
        deliveries=[_delivery(row) for row in deliveries],
        low_balance_threshold=credits.open_account(workspace=actor.workspace).low_balance_threshold,
        is_moving=any(
            row.state == State.SENDING or (row.next_try_at is not None and row.next_try_at < soon)
            for row in deliveries
        ),
    )


def event_choices() -> list[tuple[str, str]]:
    """(name, meaning) of the events that an endpoint can subscribe to."""
    return [(event.value, str(event.label)) for event in EVENTS]


def _endpoint(row: WebhookEndpoint) -> EndpointRow:
    attempts = row.newest_attempts  # type: ignore[attr-defined]
    return EndpointRow(
        id=row.id,
        url=row.url,
        events=[(name, label, name in row.events) for name, label in event_choices()],
        is_enabled=row.is_enabled,
        note=row.note,
        last_attempt=_attempt(attempts[-1]) if attempts else None,
    )


def _delivery(row: WebhookDelivery) -> DeliveryRow:
    return DeliveryRow(
        id=row.id,
        event=Event(row.event).value,
        receiver=row.receiver,
        is_callback=row.endpoint_id is None,
        job_id=row.job_id,
        created_at=row.created_at,
        state=row.state,
        badge=State(row.state).label,
        next_try_at=row.next_try_at if row.attempts else None,
        attempts=[_attempt(attempt) for attempt in reversed(row.attempts)],
        may_resend=row.state in (State.DELIVERED, State.FAILED)
        or (row.state == State.WAITING and row.tries > 0),
    )


def _attempt(stored: dict[str, Any]) -> Attempt:
    return Attempt(
        at=datetime.fromisoformat(stored["at"]),
        status=stored["status"],
        milliseconds=stored["milliseconds"],
        message=stored.get("message", ""),
    )
