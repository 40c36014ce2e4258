"""The audit log in the admin."""

from __future__ import annotations

from django.contrib import admin

from editor import models
from editor.admin.read_only import ReadOnly


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("created_at", "workspace", "actor", "action", "target")
    list_filter = ("action",)
    list_select_related = ("workspace", "actor")
