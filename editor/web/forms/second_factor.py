"""The code of a second factor at sign-in."""

from __future__ import annotations

from allauth.core import context
from allauth.mfa.base.forms import AuthenticateForm
from django.core.exceptions import ValidationError

from editor.web import sign_in_limits

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
