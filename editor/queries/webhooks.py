"""A workspace's webhook endpoints and recent deliveries."""

from __future__ import annotations

from django.db.models import OuterRef, Subquery

from editor.models import WebhookDelivery, WebhookEndpoint, Workspace

DELIVERIES_SHOWN = 50


def endpoints(workspace: Workspace) -> list[WebhookEndpoint]:
    """Oldest first. `newest_attempts`: the attempts of the newest attempted delivery, or None."""
    tried = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).exclude(attempts=[])
    rows = WebhookEndpoint.objects.filter(workspace=workspace).defer("secret").order_by("created_at")
    return list(rows.annotate(newest_attempts=Subquery(tried.order_by("-created_at").values("attempts")[:1])))


def deliveries(workspace: Workspace) -> list[WebhookDelivery]:
    """The newest DELIVERIES_SHOWN deliveries, newest first."""
    rows = WebhookDelivery.objects.filter(workspace=workspace).order_by("-created_at", "-id")
    return list(rows[:DELIVERIES_SHOWN])
