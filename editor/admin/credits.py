"""Credits in the admin, changed through the ledger's operations as everywhere."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

from editor import models
from editor.admin.read_only import ReadOnly
from editor.operations import credits


@admin.register(models.CreditAccount)
class CreditAccountAdmin(ReadOnly):
    list_display = ("workspace", "balance", "held")
    search_fields = ("workspace__name", "workspace__slug")
    list_select_related = ("workspace",)


class LedgerEntryForm(ModelForm):
    """Grant credits or correct a balance."""

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
        """Skipped: the row's constraints are about totals that only the operation can fill in."""


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
        """A ledger entry has no related rows to save."""
