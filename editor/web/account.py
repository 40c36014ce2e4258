"""Sign-in and sign-up, where they differ from allauth's defaults."""

from __future__ import annotations

from typing import Any, cast

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.httpkit import get_client_ip
from django.db import IntegrityError, transaction
from django.forms import Form
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from editor.errors import Conflict
from editor.gateway import addresses
from editor.mail_addresses import normalized
from editor.models import User
from editor.operations import people, workspaces
from editor.web import choices, oidc, sign_in_limits
from editor.web.back import own_url

UNKNOWN = "0.0.0.0"  # noqa: S104  (the address of a client without one, as on a Unix socket)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    error_messages = {  # noqa: RUF012  (as in allauth)
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": "Wrong email or password.",
        "email_taken": "An account with this email already exists.",
        "incorrect_password": "The current password is wrong.",
        "enter_current_password": "The current password is wrong.",
        "too_many_login_attempts": (
            "Too many failed attempts. Wait a few minutes, use a browser in which you have signed in "
            "before, or reset your password with “Forgot password?”."
        ),
    }

    def is_safe_url(self, url: str | None) -> bool:
        """Whether `next` is a page of this portal. The base class fails at what cannot be parsed, and takes
        any host that a pattern in ALLOWED_HOSTS matches."""
        return bool(own_url(self.request, url or ""))

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """The operator decides with SIGNUP; the very first account is created on the welcome page."""
        return people.sign_up_is_open() and not workspaces.needs_first_start()

    def save_user(self, request: HttpRequest, user: User, form: Form, commit: bool = True) -> User:
        """A new user gets a workspace of their own."""
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, form, commit=commit)
                if commit:
                    workspaces.create_for_sign_up(owner=saved)
        except IntegrityError:  # a concurrent sign-up with the same address
            raise Conflict("An account with this email already exists.") from None
        return saved

    def clean_email(self, email: str) -> str:
        return normalized(email)

    def authenticate(self, request: HttpRequest, **credentials: Any) -> Any:
        if "email" in credentials:
            credentials["email"] = normalized(credentials["email"])
        return super().authenticate(request, **credentials)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Enforce the limits on attempts. The base class does not count one whose password is right."""
        email = credentials.get("email", "")
        self._login_failed_rl_usage = sign_in_limits.take(request, email)
        if self._login_failed_rl_usage is None:
            raise self.validation_error("too_many_login_attempts")

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase | None:
        """Runs before every sign-in, also with a passkey, an identity provider or a reset password."""
        if user.is_service_account:
            return cast(HttpResponseBase, self.respond_user_inactive(request, user))
        return cast(HttpResponseBase | None, super().pre_login(request, user, **kwargs))

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponseBase:
        response = cast(HttpResponseBase, super().post_login(request, user, **kwargs))
        login = (kwargs.get("signal_kwargs") or {}).get("sociallogin")
        if login:
            oidc.apply_roles(user, login)
        sign_in_limits.remember(request, response, user)
        choices.remember(request, response, "zone", user.time_zone)
        return response

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account")

    def get_client_ip(self, request: HttpRequest) -> str:
        """Never empty. allauth counts IPv6 clients by their /64 network by itself."""
        return addresses.plain(get_client_ip(request) or UNKNOWN)
