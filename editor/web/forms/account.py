"""Account forms for anybody: their answers are the same whether an account exists or not."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest

from editor.operations import mails
from editor.operations.mails import Kind
from editor.web.links import mail_origin


class AddressForm(forms.Form):
    """An address, to which a mail is sent."""

    kind = Kind.SIGN_UP

    email = forms.EmailField(label="Email", max_length=254)

    def save(self, request: HttpRequest, **kwargs: Any) -> None:
        """Ask for the mail. Raises Unprocessable where the portal cannot send links."""
        mails.ask(kind=self.kind, email=self.cleaned_data["email"], origin=mail_origin(request))


class ResetPasswordForm(AddressForm):
    """Replaces allauth's, which looks the address up and sends the mail itself."""

    kind = Kind.RESET


class NewPasswordForm(forms.Form):
    """The password of a new account. The operation validates it."""

    password = forms.CharField(label="Password", max_length=200, strip=False, widget=forms.PasswordInput)
