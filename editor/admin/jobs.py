"""Jobs and their events in the admin."""

from __future__ import annotations

from django.contrib import admin

from editor import models
from editor.admin.read_only import ReadOnly


class JobEventInline(admin.TabularInline):
    model = models.JobEvent
    extra = 0
    can_delete = False
    readonly_fields = ("kind", "percent", "note", "created_at")


@admin.register(models.Job)
class JobAdmin(ReadOnly):
    list_display = ("created_at", "workspace", "created_by", "model", "status", "stage", "price", "charged")
    list_filter = ("status", "provider", "channel")
    search_fields = ("id", "provider_task_id")
    list_select_related = ("workspace", "created_by")
    inlines = (JobEventInline,)
