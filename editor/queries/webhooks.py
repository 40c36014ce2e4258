"""A workspace's webhook endpoints, and what was sent lately."""

from __future__ import annotations

from editor.models import WebhookDelivery, WebhookEndpoint, Workspace

DELIVERIES_SHOWN = 50


def endpoints(workspace: Workspace) -> list[WebhookEndpoint]:
    """Oldest first."""
    return list(WebhookEndpoint.objects.filter(workspace=workspace).defer("secret").order_by("created_at"))


def deliveries(workspace: Workspace) -> list[WebhookDelivery]:
    """The newest ones, newest first."""
    rows = WebhookDelivery.objects.filter(workspace=workspace).order_by("-created_at", "-id")
    return list(rows[:DELIVERIES_SHOWN])
