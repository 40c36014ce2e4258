"""Styles in the admin."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from editor import models
from editor.admin.audited import Audited
from editor.operations import presets


@admin.register(models.Style)
class StyleAdmin(Audited):
    noun = "style"
    list_display = ("name", "workspace", "prompt", "position")
    list_select_related = ("workspace",)
    exclude = ("version",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        presets.save(preset=obj, changed=form.changed_data)
