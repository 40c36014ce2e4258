"""Second factors for tests."""

from __future__ import annotations

import time

from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value

from editor.models import User

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def add_app(user: User) -> list[str]:
    """Give the user an authenticator app with SECRET, and recovery codes, which are returned."""
    TOTP.activate(user, SECRET)
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    return codes


def code_now(secret: str = SECRET) -> str:
    """The code that an app with this secret shows now."""
    code: str = format_hotp_value(hotp_value(secret, int(time.time()) // 30))
    return code
