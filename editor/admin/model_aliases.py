"""Model aliases in the admin."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.forms import ModelForm

from editor import catalog, models
from editor.admin.audited import Audited


def _targets() -> list[tuple[str, list[tuple[str, str]]]]:
    entries = catalog.catalog()
    return [
        ("Tiers", [(tier.id, tier.label) for tier in entries.tiers.values()]),
        ("Models", [(model.id, model.label) for model in entries.models.values()]),
    ]


class ModelAliasForm(ModelForm):
    class Meta:
        model = models.ModelAlias
        fields = ("name", "target")

    target = forms.ChoiceField(choices=_targets)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        entries = catalog.catalog()
        if name in entries.tiers or name in entries.models:
            raise forms.ValidationError("A tier or model of the catalogue already has this name.")
        return name


@admin.register(models.ModelAlias)
class ModelAliasAdmin(Audited):
    """Names that clients of the OpenAI-compatible API can use for models."""

    noun = "model_alias"
    form = ModelAliasForm
    list_display = ("name", "target")
    search_fields = ("name", "target")
