"""API keys in the admin."""

from __future__ import annotations

from django.contrib import admin

from editor import models
from editor.admin.read_only import ReadOnly


@admin.register(models.ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "public_id", "workspace", "created_by", "is_live", "expires_at", "last_used_at")
    search_fields = ("name", "public_id", "workspace__name", "created_by__email")
    list_select_related = ("workspace", "created_by")
    exclude = ("secret_hash",)

    @admin.display(description="Active", boolean=True)
    def is_live(self, key: models.ApiKey) -> bool:
        return key.is_live
