"""The first-start form."""

from __future__ import annotations

from django import forms


class WelcomeForm(forms.Form):
    """The first account and its workspace. The operation validates passwords and names."""

    name = forms.CharField(label="Your name", max_length=120, required=False)
    email = forms.EmailField(label="Email", max_length=254)
    password = forms.CharField(
        label="Password", max_length=200, strip=False, required=False, widget=forms.PasswordInput
    )
    credential = forms.CharField(required=False, max_length=10_000)  # a passkey instead of the password
    workspace_name = forms.CharField(label="Workspace name", max_length=120)
