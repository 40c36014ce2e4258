"""The form of a provider's card. The operation validates the key."""

from __future__ import annotations

from django import forms
from django.http import QueryDict


class KeyForm(forms.Form):
    """A key for one provider; submitted values are never shown again."""

    key = forms.CharField(label="API key", widget=forms.PasswordInput)
    secret = forms.CharField(label="API secret", required=False, widget=forms.PasswordInput)

    def __init__(self, provider: str, data: QueryDict | None = None) -> None:
        """Element ids start with the provider's name: a page has one such form for each."""
        super().__init__(data, auto_id=f"{provider}-%s")
