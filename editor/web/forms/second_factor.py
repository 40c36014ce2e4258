"""allauth's forms for codes and passkeys: with the portal's limits, and safe against malformed passkeys.

A passkey is JSON, base64 and CBOR from the browser, and the library raises whatever its parsing runs into.
"""

from __future__ import annotations

import struct
from typing import Any

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.webauthn import forms as library
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django import forms
from django.core.exceptions import ValidationError

from editor.web import sign_in_limits

MALFORMED = (
    AttributeError,
    IndexError,
    InvalidSignature,
    KeyError,
    NotImplementedError,
    OverflowError,
    RecursionError,
    struct.error,
    TypeError,
    UnsupportedAlgorithm,
    ValueError,
)
NOT_ACCEPTED = "The passkey was not accepted. Try again, or choose another way."
TOO_MANY = (
    "Too many wrong codes. Wait a few minutes, or use a passkey, or a browser in which you have signed in "
    "before."
)


class CodeForm(AuthenticateForm):  # type: ignore[misc]
    """A code of an authenticator app, or a recovery code, with the portal's limits on attempts."""

    def clean_code(self) -> str:
        usage = sign_in_limits.take(context.request, self.user.email, kind=sign_in_limits.CODE)
        if usage is None:
            raise ValidationError(TOO_MANY)
        code: str = super().clean_code()
        usage.rollback()
        return code


class CredentialField(forms.JSONField):
    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:  # very many brackets
            raise ValidationError(NOT_ACCEPTED) from None


class _Credential:
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields: dict[str, forms.Field]
        self.fields["credential"] = CredentialField(widget=forms.HiddenInput)


class _Known(_Credential):
    """A passkey that signs in."""

    def clean_credential(self) -> Any:
        try:
            return super().clean_credential()  # type: ignore[misc]
        except MALFORMED:
            raise ValidationError(NOT_ACCEPTED) from None


class _New(_Credential):
    """A passkey that was just made."""

    def clean(self) -> Any:
        try:
            return super().clean()  # type: ignore[misc]
        except MALFORMED:
            raise ValidationError(NOT_ACCEPTED) from None


class SignInForm(_Known, library.LoginWebAuthnForm):  # type: ignore[misc]
    pass


class PasskeyForm(_Known, library.AuthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class PasskeyAgainForm(_Known, library.ReauthenticateWebAuthnForm):  # type: ignore[misc]
    pass


class AddPasskeyForm(_New, library.AddWebAuthnForm):  # type: ignore[misc]
    pass


class FirstPasskeyForm(_New, library.SignupWebAuthnForm):  # type: ignore[misc]
    pass
