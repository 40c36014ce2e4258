"""Webhook endpoints for ended jobs and low credits, and their deliveries."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel
from editor.models.jobs import Job
from editor.models.workspaces import Workspace


class Event(models.TextChoices):
    """Events of webhooks."""

    COMPLETED = "job.completed", "Edit completed"
    FAILED = "job.failed", "Edit failed"
    CANCELED = "job.canceled", "Edit canceled"
    APPROVAL_REQUESTED = "approval.requested", "Approval requested"
    APPROVAL_GRANTED = "approval.granted", "Approval granted"
    APPROVAL_DECLINED = "approval.declined", "Approval declined"
    CREDITS_LOW = "credits.low", "Credits low"
    BUDGET_REACHED = "budget.reached", "Part of the monthly budget spent"
    TEST = "webhook.test", "Test event"


class WebhookEndpoint(PublicModel):
    """A URL of the workspace that receives some events."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_endpoints")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    url = models.CharField(max_length=2083)
    events = ArrayField(models.CharField(max_length=20, choices=Event))
    secret = models.BinaryField(help_text="Encrypted; signs what is sent.")
    origin = models.CharField(max_length=300, help_text="Scheme and host that links in messages begin with.")
    is_enabled = models.BooleanField(default=True)
    note = models.CharField(max_length=200, blank=True, help_text="Why the portal disabled it.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["workspace", "url"], name="webhook_url_once"),)

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(PublicModel):
    """One message to one URL: an endpoint's, or a job's callback_url."""

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENDING = "sending", "Sending"
        DELIVERED = "delivered", "Delivered"
        FAILED = "failed", "Failed"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="webhook_deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    job = models.ForeignKey(Job, on_delete=models.CASCADE, null=True, blank=True, related_name="deliveries")
    event = models.CharField(max_length=20, choices=Event)
    url = models.CharField(max_length=2083)
    receiver = models.CharField(max_length=340, help_text="Scheme, host and port: few at once to each.")
    data = models.JSONField(default=dict, blank=True, help_text="Of an event that has no job.")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0, help_text="Since it was sent, or sent again.")
    next_try_at = models.DateTimeField(null=True, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True, help_text="When a worker took it to send it.")
    delivered_at = models.DateTimeField(null=True, blank=True)
    attempts = models.JSONField(
        default=list,
        blank=True,
        help_text="The newest ones: time, HTTP status or null, milliseconds, message.",
    )

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = (
            models.CheckConstraint(
                condition=Q(state__in=["waiting", "sending", "delivered", "failed"]),
                name="delivery_state_known",
            ),
            models.CheckConstraint(
                condition=Q(state="waiting", next_try_at__isnull=False) | ~Q(state="waiting"),
                name="delivery_waits_for_a_time",
            ),
            models.CheckConstraint(
                condition=Q(state="sending", claimed_at__isnull=False) | ~Q(state="sending"),
                name="delivery_sent_by_a_claim",
            ),
        )
        indexes = (
            models.Index(fields=["workspace", "-created_at", "-id"], name="delivery_recent"),
            models.Index(
                fields=["workspace", "receiver", "next_try_at"],
                condition=Q(state__in=["waiting", "sending"]),
                name="delivery_open",
            ),
        )

    def __str__(self) -> str:
        return f"{self.event} to {self.receiver}"
