"""Invitations to a workspace."""

from __future__ import annotations

from typing import Literal

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone

from editor.models.base import PublicModel
from editor.models.workspaces import Role, Workspace

InvitationState = Literal["open", "expired", "revoked", "used"]


class Invitation(PublicModel):
    """An address that may join a workspace once, with the given rights.

    Its link is signed and not stored: it contains the id and `nonce`. A new nonce invalidates the old link.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=10, choices=Role, default=Role.EDITOR)
    access_image_editor = models.BooleanField("Access Image Editor", default=True)
    monthly_cap = models.PositiveIntegerField(null=True, blank=True, help_text="Credits per month.")
    message = models.CharField(max_length=500, blank=True)
    nonce = models.CharField(max_length=22)
    invited_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When the last mail was queued.")
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "workspace",
                Lower("email"),
                condition=Q(revoked_at__isnull=True, accepted_at__isnull=True),
                name="invitation_one_pending",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["admin", "editor", "viewer"]), name="invitation_role_known"
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True) | Q(accepted_at__isnull=True),
                name="invitation_ends_once",
            ),
        )

    def __str__(self) -> str:
        return f"{self.email} to {self.workspace}"

    @property
    def state(self) -> InvitationState:
        if self.accepted_at:
            return "used"
        if self.revoked_at:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"

    @property
    def is_open(self) -> bool:
        return self.state == "open"
