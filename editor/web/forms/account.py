"""Public account forms: their responses are the same whether or not an account exists."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from django import forms
from django.http import HttpRequest

from editor.gateway.requests import mail_origin
from editor.operations import mails, people
from editor.operations.mails import Kind


class AddressForm(forms.Form):
    """An address to send a mail to."""

    kind = Kind.SIGN_UP

    email = forms.EmailField(label="Email", max_length=254)

    def save(self, request: HttpRequest, **kwargs: Any) -> None:
        """Queue the mail. Raises Unprocessable if the portal cannot send links."""
        mails.ask(kind=self.kind, email=self.cleaned_data["email"], origin=mail_origin(request))


class ResetPasswordForm(AddressForm):
    """Replaces allauth's form, which looks up the address and sends the mail itself."""

    kind = Kind.RESET


class SignUpForm(SignupForm):  # type: ignore[misc]
    """Sign-up without a mail server."""

    def clean_email(self) -> str:
        email: str = super().clean_email()
        if not people.may_sign_up(email):
            raise forms.ValidationError(people.OTHER_DOMAIN)
        return email


class NewPasswordForm(forms.Form):
    """The password of a new account, or a passkey instead. The operation validates it."""

    password = forms.CharField(
        label="Password", max_length=200, strip=False, required=False, widget=forms.PasswordInput
    )
    credential = forms.CharField(required=False, max_length=10_000)
