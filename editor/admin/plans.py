"""Plans in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from editor import models
from editor.admin.audited import Audited
from editor.operations import plans


class PlanForm(ModelForm):
    """The default plan cannot be unticked; ticking another one moves the default there."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.is_default and "is_default" in self.fields:
            field = self.fields["is_default"]
            field.disabled = True
            field.help_text = "New workspaces get this plan. To change that, tick this box on another plan."

    def _get_validation_exclusions(self) -> set[str]:
        """The operation, not the form, ensures that there is one default plan."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


@admin.register(models.Plan)
class PlanAdmin(Audited):
    noun = "plan"
    form = PlanForm
    list_display = (
        "name",
        "requests_per_minute",
        "concurrent_jobs",
        "storage_bytes",
        "own_keys",
        "is_default",
    )

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        plans.save(plan=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # new workspaces need the default plan; others do no harm
