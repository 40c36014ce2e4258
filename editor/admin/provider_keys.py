"""Provider keys in the admin, where the portal's own are managed."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from editor import models
from editor.admin.audited import Audited
from editor.errors import InvalidInput
from editor.operations import provider_keys
from editor.providers import registry


class ProviderKeyForm(ModelForm):
    """A key of the portal: tested before it is stored, and never shown again."""

    class Meta:
        model = models.ProviderKey
        fields = ("provider",)

    provider = forms.ChoiceField(
        choices=lambda: [(name, one.label) for name, one in registry.providers().items() if one.needs_key],
        help_text="A key in the environment, such as BFL_API_KEY, takes precedence over one stored here.",
    )
    api_key = forms.CharField(label="API key", widget=forms.PasswordInput(attrs={"autocomplete": "off"}))
    api_secret = forms.CharField(
        label="API secret",
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only for Wiro keys with signed requests.",
    )

    def clean(self) -> None:
        """Test the key at the provider; rejections become errors of the fields."""
        if self.errors:
            return
        try:
            self.cleaned_data["verdict"] = async_to_sync(provider_keys.try_key)(
                provider=self.cleaned_data["provider"],
                key=self.cleaned_data["api_key"],
                secret=self.cleaned_data["api_secret"],
            )
        except InvalidInput as error:
            for field, message in error.fields.items():
                self.add_error(f"api_{field}", message)


@admin.register(models.ProviderKey)
class ProviderKeyAdmin(Audited):
    """Adding a key replaces the portal's earlier one. Workspaces' own keys are read-only."""

    noun = "provider_key"
    list_display = ("provider", "owner", "last_four", "is_enabled", "checked_at", "note")
    list_filter = ("provider", "is_enabled")
    list_select_related = ("workspace",)
    readonly_fields = ("provider", "owner", "last_four", "checked_at", "note")

    @admin.display(description="Owner", ordering="workspace__name")
    def owner(self, key: models.ProviderKey) -> str:
        return key.workspace.name if key.workspace else "Portal"

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> type[ModelForm]:
        return super().get_form(request, obj, change, **kwargs, form=ModelForm if obj else ProviderKeyForm)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return (*self.readonly_fields, "is_enabled") if obj else ("provider", "api_key", "api_secret")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.readonly_fields if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.workspace_id is None)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.workspace_id is None)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            provider_keys.switch(key=obj, enabled=form.cleaned_data["is_enabled"])
            return
        provider = form.cleaned_data["provider"]
        old = provider_keys.last_four(workspace=None, provider=provider)
        stored = provider_keys.store(
            workspace=None,
            provider=provider,
            key=form.cleaned_data["api_key"],
            secret=form.cleaned_data["api_secret"],
            verdict=form.cleaned_data["verdict"],
        )
        obj.pk, obj.last_four = stored.pk, stored.last_four
        self.record(request, obj, "saved", before={"last_four": old}, after={"last_four": stored.last_four})

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new key was recorded above, with the key that it replaces."""
        if change:
            super().save_related(request, form, formsets, change)
