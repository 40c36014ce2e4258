"""The form of a transfer. The operation validates the values."""

from __future__ import annotations

from django import forms


class TransferForm(forms.Form):
    to = forms.SlugField(label="To", error_messages={"required": "Choose a workspace."})
    amount = forms.IntegerField(
        label="Credits",
        error_messages={"required": "Enter a number of credits.", "invalid": "Enter a whole number."},
    )
    note = forms.CharField(label="Note", required=False)
