"""Records in the audit log what operators change in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from editor import models
from editor.operations import audit


class Audited(admin.ModelAdmin):
    """Records each row that is added, changed or deleted, in the same transaction.

    Only fields of the table are recorded: a form's secrets are not among them.
    """

    noun = ""  # the first part of the action, as in "plan.changed"

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        before, after = changes(form)
        if after or not change:
            verb = "changed" if change else "created"
            self.record(request, form.instance, verb, before=before if change else None, after=after)

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        self.record(request, obj, "removed")
        super().delete_model(request, obj)

    @transaction.atomic
    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)

    def record(self, request: HttpRequest, row: Model, verb: str, **values: Any) -> None:
        assert isinstance(request.user, models.User)
        workspace = row if isinstance(row, models.Workspace) else getattr(row, "workspace", None)
        audit.record(
            workspace=workspace, actor=request.user, action=f"{self.noun}.{verb}", target=str(row), **values
        )


def changes(form: ModelForm) -> tuple[dict[str, Any], dict[str, Any]]:
    """The changed fields of the table before and after, by name."""
    names = [name for name in form.changed_data if _is_column(form, name)]
    return {name: _initial(form, name) for name in names}, {name: form.cleaned_data[name] for name in names}


def _is_column(form: ModelForm, name: str) -> bool:
    try:
        form.instance._meta.get_field(name)
    except FieldDoesNotExist:
        return False
    return True


def _initial(form: ModelForm, name: str) -> Any:
    """The row that a foreign key referred to, any other value as it was."""
    field = form.fields[name]
    initial = form.get_initial_for_field(field, name)
    if isinstance(field, forms.ModelChoiceField) and initial and field.queryset is not None:
        return field.queryset.filter(pk=initial).first()
    return initial
