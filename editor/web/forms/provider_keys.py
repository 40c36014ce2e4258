"""The form of a provider's card. What a key looks like is the operation's rule."""

from __future__ import annotations

from django import forms
from django.http import QueryDict


class KeyForm(forms.Form):
    """A key at one provider; what was typed is never shown again."""

    key = forms.CharField(label="API key", widget=forms.PasswordInput)
    secret = forms.CharField(label="API secret", required=False, widget=forms.PasswordInput)

    def __init__(self, provider: str, data: QueryDict | None = None) -> None:
        """Ids are the provider's own: a page has one such form for each."""
        super().__init__(data, auto_id=f"{provider}-%s")
