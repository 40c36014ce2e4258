"""The audit log: who changed the workspace's keys, members and credits."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from editor.models.workspaces import Workspace


class AuditEntry(models.Model):
    """One entry of the audit log. Rows are only ever added."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="audit_entries")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    action = models.CharField(max_length=60, help_text='A stable code, e.g. "credits.granted".')
    target = models.CharField(max_length=120, blank=True)
    data = models.JSONField(default=dict)
    ip = models.GenericIPAddressField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = (models.Index(fields=["workspace", "-id"], name="audit_recent"),)

    def __str__(self) -> str:
        return self.action
