"""The form of a transfer. The operation validates the values."""

from __future__ import annotations

from django import forms
from django.http import QueryDict


class TransferForm(forms.Form):
    def __init__(self, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="transfer-%s")

    to = forms.SlugField(label="To", error_messages={"required": "Choose a workspace."})
    amount = forms.IntegerField(
        label="Credits",
        error_messages={"required": "Enter a number of credits.", "invalid": "Enter a whole number."},
    )
    note = forms.CharField(label="Note", required=False)
