"""Second factors and passkeys, where they differ from allauth's defaults."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from allauth.account.utils import user_pk_to_url_str
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.http.request import split_domain_port

from editor.access import second_factor, vault
from editor.contexts.devices import device
from editor.models import User


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    error_messages = {  # noqa: RUF012  (as in allauth)
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This code is wrong or was used already. Enter the current one.",
        "unverified_email": "Confirm your email first: the account page mails you a link.",
    }

    def encrypt(self, text: str) -> str:
        return vault.encrypt(purpose=second_factor.PURPOSE, text=text).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return vault.decrypt(purpose=second_factor.PURPOSE, token=encrypted_text.encode())

    def get_totp_issuer(self) -> str:
        return str(settings.SITE_NAME)

    def generate_authenticator_name(self, user: User, type: str) -> str:
        return device(context.request.headers.get("User-Agent", "")).name

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        return {"id": passkey_host(context.request), "name": settings.SITE_NAME}

    def get_public_key_credential_user_entity(self, user: User) -> dict[str, Any]:
        handle = user_pk_to_url_str(user).encode()
        return {"id": handle, "display_name": user.display_name, "name": user.email}


def passkey_host(request: HttpRequest) -> str:
    """The name that passkeys are bound to: that of BASE_URL, whatever host a proxy sends."""
    return urlsplit(settings.BASE_URL).hostname or split_domain_port(request.get_host())[0]


def passkeys_work(request: HttpRequest) -> bool:
    """Browsers offer passkeys over https and on localhost only, and not for addresses such as 127.0.0.1."""
    host = passkey_host(request)
    secure = settings.HTTPS or request.is_secure() or host == "localhost"
    return secure and not host.rpartition(".")[2].isdecimal() and ":" not in host
