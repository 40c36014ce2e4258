"""Notices to people, shown behind the bell."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from editor.models.base import PublicModel
from editor.models.workspaces import Workspace


class Notice(PublicModel):
    """Something that concerns one person. Kept for 30 days.

    kind    a stable code, e.g. "approval.requested"
    path    the page that it leads to
    source  what it is about; the same kind about the same source comes once
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices", db_index=False
    )
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    path = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=80)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["user", "kind", "source"], name="notice_once"),)
        indexes = (
            models.Index(fields=["user", "-created_at"], name="notice_recent"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notice_unread"),
            models.Index(fields=["created_at"], name="notice_age"),
        )

    def __str__(self) -> str:
        return self.kind
