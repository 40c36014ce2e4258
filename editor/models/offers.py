"""What an operator changes of the catalogue: models, prices and the portal's routes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from editor.models.workspaces import Workspace


class ModelSetting(models.Model):
    """An operator's decision about one model, for all workspaces or for one.

    model    catalogue id
    credits  the price of one image instead of the catalogue's
    """

    model = models.CharField(max_length=120)
    workspace = models.ForeignKey(
        Workspace, on_delete=models.CASCADE, null=True, blank=True, related_name="model_settings"
    )
    enabled = models.BooleanField(default=True)
    credits = models.PositiveIntegerField(null=True, blank=True)
    retires_on = models.DateField(null=True, blank=True, help_text="From this day on it cannot be used.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["model", "workspace"], nulls_distinct=False, name="model_setting_once"
            ),
            models.CheckConstraint(
                condition=Q(workspace__isnull=True) | Q(retires_on__isnull=True, enabled=True),
                name="model_setting_of_workspace_is_price",
            ),
        )

    def __str__(self) -> str:
        return self.model


class RouteSetting(models.Model):
    """A provider whose portal keys an operator has switched off, for all models or one."""

    provider = models.CharField(max_length=20)
    model = models.CharField(max_length=120, blank=True, help_text="Catalogue id. Empty: all models.")
    reason = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["provider", "model"], name="route_setting_once"),)

    def __str__(self) -> str:
        return f"{self.provider} {self.model}".strip()
