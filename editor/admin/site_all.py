"""The operator's admin. Credits are moved by the ledger's operations here as everywhere."""

from __future__ import annotations

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest

from editor import models
from editor.admin.model_aliases import ModelAliasAdmin
from editor.admin.people import MembershipInline, UserAdmin
from editor.admin.plans import PlanAdmin
from editor.errors import InvalidInput
from editor.operations import credits, members, presets, provider_keys
from editor.providers import registry


class ReadOnly(admin.ModelAdmin):
    """Looked at, never touched: these rows are written by operations."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(models.Workspace)
class WorkspaceAdmin(admin.ModelAdmin):
    list_display = ("name", "slug", "plan", "created_at")
    search_fields = ("name", "slug")
    list_select_related = ("plan",)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        credits.open_account(workspace=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        assert isinstance(request.user, models.User)
        formset.save(commit=False)
        saved = [(membership, fields) for membership, fields in formset.changed_objects]
        saved += [(membership, ["added"]) for membership in formset.new_objects]
        # New owners first: then the old ones may go.
        for membership, fields in sorted(saved, key=lambda pair: pair[0].role != models.Role.OWNER):
            members.save(membership=membership, actor=request.user, changed=fields)
        for membership in formset.deleted_objects:
            members.remove(membership=membership, actor=request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # its jobs and ledger must stay


class LedgerEntryForm(ModelForm):
    """Give credits, or correct a balance. The operation itself is the validation."""

    class Meta:
        model = models.LedgerEntry
        fields = ("account", "kind", "amount", "note")

    kind = forms.ChoiceField(choices=[("grant", "Grant"), ("adjust", "Adjustment")])

    def clean_amount(self) -> int:
        amount: int = self.cleaned_data["amount"]
        account: models.CreditAccount | None = self.cleaned_data.get("account")
        if amount == 0 or (amount < 0 and self.cleaned_data.get("kind") == "grant"):
            raise forms.ValidationError(
                "A grant must be 1 credit or more. To remove credits, use an adjustment."
            )
        if abs(amount) > credits.MAXIMUM_GRANT:
            raise forms.ValidationError(f"Enter at most {credits.MAXIMUM_GRANT:,} credits.")
        if account and account.balance + amount < 0:
            raise forms.ValidationError(
                f"The balance is {account.balance:,} credits: it cannot go below zero."
            )
        return amount

    def _post_clean(self) -> None:
        """The row's constraints are about totals that only the operation can fill in."""


@admin.register(models.LedgerEntry)
class LedgerEntryAdmin(ReadOnly):
    form = LedgerEntryForm
    list_display = ("created_at", "account", "kind", "amount", "balance_after", "actor", "note")
    list_filter = ("kind",)
    list_select_related = ("account__workspace", "actor")
    autocomplete_fields = ("account",)
    date_hierarchy = "created_at"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("editor.add_ledgerentry"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        move = credits.grant if form.cleaned_data["kind"] == "grant" else credits.adjust
        assert isinstance(request.user, models.User)
        entry = move(
            workspace=form.cleaned_data["account"].workspace,
            amount=form.cleaned_data["amount"],
            actor=request.user,
            note=form.cleaned_data["note"],
        )
        obj.pk = entry.pk

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A ledger entry has nothing beside it to save."""


class ProviderKeyForm(ModelForm):
    """A key of the portal's own: tried before it is stored, and never shown again."""

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
        """Ask the provider; what it refuses is said beside the field."""
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
class ProviderKeyAdmin(admin.ModelAdmin):
    """Adding a key replaces the portal's earlier one. Those of workspaces are theirs, and only looked at."""

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
        if change:  # not the secret, which may have been replaced or encrypted anew meanwhile
            obj.save(update_fields=["is_enabled", "updated_at"])
            return
        stored = provider_keys.store(
            workspace=None,
            provider=form.cleaned_data["provider"],
            key=form.cleaned_data["api_key"],
            secret=form.cleaned_data["api_secret"],
            verdict=form.cleaned_data["verdict"],
        )
        obj.pk, obj.last_four = stored.pk, stored.last_four


@admin.register(models.CreditAccount)
class CreditAccountAdmin(ReadOnly):
    list_display = ("workspace", "balance", "held")
    search_fields = ("workspace__name", "workspace__slug")
    list_select_related = ("workspace",)


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


@admin.register(models.ApiKey)
class ApiKeyAdmin(ReadOnly):
    list_display = ("name", "public_id", "workspace", "created_by", "is_live", "expires_at", "last_used_at")
    search_fields = ("name", "public_id", "workspace__name", "created_by__email")
    list_select_related = ("workspace", "created_by")
    exclude = ("secret_hash",)

    @admin.display(description="Active", boolean=True)
    def is_live(self, key: models.ApiKey) -> bool:
        return key.is_live


@admin.register(models.AuditEntry)
class AuditEntryAdmin(ReadOnly):
    list_display = ("created_at", "workspace", "actor", "action", "target")
    list_filter = ("action",)
    list_select_related = ("workspace", "actor")


@admin.register(models.Style)
class StyleAdmin(admin.ModelAdmin):
    list_display = ("name", "workspace", "prompt", "position")
    list_select_related = ("workspace",)
    exclude = ("version",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        presets.save(preset=obj, changed=form.changed_data)


admin.site.register(models.ModelAlias, ModelAliasAdmin)
admin.site.register(models.Plan, PlanAdmin)
admin.site.register(models.User, UserAdmin)
