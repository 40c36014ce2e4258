"""A workspace's webhook endpoints, which are notified when jobs end and credits run low."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from django.db import transaction

from editor.access import vault
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.errors import Conflict, InvalidInput
from editor.models import CreditAccount, Event, WebhookEndpoint, Workspace
from editor.operations import audit
from editor.operations.webhooks import callbacks, deliveries

MOST_ENDPOINTS = 10  # per workspace
SECRET_BYTES = 32
HIGHEST_MARK = 1_000_000_000  # credits
# What an endpoint can subscribe to; a test is sent to all.
EVENTS = [event for event in Event if event is not Event.TEST]


@transaction.atomic
def create(*, actor: Actor, url: str, events: Sequence[str], origin: str) -> tuple[WebhookEndpoint, str]:
    """A new endpoint, and the secret that signs its messages, which cannot be retrieved again.

    origin  scheme and host under which its people know this portal
    Raises PermissionDenied, InvalidInput with its fields, and Conflict.
    """
    actor.require(Permission.WEBHOOKS_MANAGE)
    url = url.strip()
    _check_url(url)
    _check_events(events)
    # One at a time per workspace, so that no two callers count the same endpoints.
    Workspace.objects.select_for_update(no_key=True).get(pk=actor.workspace.pk)
    existing = WebhookEndpoint.objects.filter(workspace=actor.workspace)
    if existing.filter(url=url).exists():
        raise Conflict("There is already an endpoint with this URL.")
    if existing.count() >= MOST_ENDPOINTS:
        raise Conflict(f"A workspace can have at most {MOST_ENDPOINTS} endpoints. Delete one first.")
    endpoint_id, secret = uuid4(), _new_secret()
    endpoint = WebhookEndpoint.objects.create(
        id=endpoint_id,
        workspace=actor.workspace,
        created_by=actor.user,
        url=url,
        events=sorted(set(events)),
        secret=vault.encrypt(purpose=purpose(endpoint_id), text=secret),
        origin=origin,
    )
    _record(actor, "webhook.created", endpoint, after={"events": endpoint.events})
    return endpoint, secret


@transaction.atomic
def change(*, actor: Actor, endpoint: WebhookEndpoint, events: Sequence[str], is_enabled: bool) -> None:
    """Change its subscribed events, and enable or disable it. Disabling also abandons what waits for it.

    Raises PermissionDenied and InvalidInput.
    """
    actor.require(Permission.WEBHOOKS_MANAGE)
    _check_events(events)
    before = {"events": endpoint.events, "enabled": endpoint.is_enabled}
    endpoint.events, endpoint.is_enabled, endpoint.note = sorted(set(events)), is_enabled, ""
    endpoint.save(update_fields=["events", "is_enabled", "note"])
    if not is_enabled:
        deliveries.give_up(endpoint_id=endpoint.pk)
    after = {"events": endpoint.events, "enabled": is_enabled}
    _record(actor, "webhook.changed", endpoint, before=before, after=after)


@transaction.atomic
def renew_secret(*, actor: Actor, endpoint: WebhookEndpoint) -> str:
    """Replace the secret for all messages from now on. Raises PermissionDenied."""
    actor.require(Permission.WEBHOOKS_MANAGE)
    secret = _new_secret()
    endpoint.secret = vault.encrypt(purpose=purpose(endpoint.id), text=secret)
    endpoint.save(update_fields=["secret"])
    _record(actor, "webhook.secret_renewed", endpoint)
    return secret


@transaction.atomic
def remove(*, actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Delete the endpoint and its deliveries, including those waiting to be sent. Idempotent."""
    actor.require(Permission.WEBHOOKS_MANAGE)
    # The lock waits for transactions that are adding deliveries to it, so those are deleted too.
    if WebhookEndpoint.objects.select_for_update().filter(pk=endpoint.pk).first():
        endpoint.delete()
        _record(actor, "webhook.removed", endpoint)


@transaction.atomic
def set_low_balance_threshold(*, actor: Actor, credits: int) -> None:
    """Set the balance below which endpoints are notified; 0 for never."""
    actor.require(Permission.WEBHOOKS_MANAGE)
    if not 0 <= credits <= HIGHEST_MARK:
        reason = f"Enter a whole number of credits from 0 to {HIGHEST_MARK:,}."
        raise InvalidInput(reason, fields={"low_balance_threshold": reason})
    account = CreditAccount.objects.select_for_update(no_key=True).get(workspace=actor.workspace)
    before, account.low_balance_threshold = account.low_balance_threshold, credits
    account.save(update_fields=["low_balance_threshold"])
    audit.record(
        workspace=actor.workspace,
        actor=actor,
        action="credits.low_mark_changed",
        before={"credits": before},
        after={"credits": credits},
    )


def shown_url(url: str) -> str:
    """The URL for the audit log: without the query, which in some URLs contains a password."""
    return url.partition("?")[0][:120]


def purpose(endpoint_id: UUID) -> str:
    """The purpose that an endpoint's secret is encrypted for."""
    return f"webhook-endpoint:{endpoint_id}"


def _check_url(url: str) -> None:
    try:
        callbacks.check_url(url)
    except InvalidInput as error:
        raise InvalidInput(error.message, fields={"url": error.message}) from None
    if urlsplit(url).fragment:
        reason = "Remove the #fragment from the URL: it is never sent to servers."
        raise InvalidInput(reason, fields={"url": reason})


def _check_events(events: Sequence[str]) -> None:
    if not events or set(events) - set(EVENTS):
        reason = f"Choose at least one of {', '.join(EVENTS)}."
        raise InvalidInput(reason, fields={"events": reason})


def _new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()}"


def _record(actor: Actor, action: str, endpoint: WebhookEndpoint, **values: Any) -> None:
    shown = shown_url(endpoint.url)
    audit.record(workspace=actor.workspace, actor=actor, action=action, target=shown, **values)
