"""Sign-in with the operator's OpenID Connect providers, where it differs from allauth's defaults.

A person is known by the provider's `sub`: an address that changes there changes nothing here. The first
time, an account with the same address is used, but only if both sides have verified the address: whoever
could enter an address without proof would get somebody else's account, or share theirs.
"""

from __future__ import annotations

import logging
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.shortcuts import render
from django.urls import reverse

from editor.errors import Conflict
from editor.gateway.requests import mail_origin
from editor.mail_addresses import normalized
from editor.models import Role, User
from editor.operations import members, people, workspaces
from editor.queries import accounts

log = logging.getLogger("editor.web")

UNVERIFIED = "{provider} has not verified your email address. Verify it there, then sign in again."
NOT_CONFIRMED = (
    "There is an account with this email, but the email was never confirmed here. Sign in with your "
    "password, confirm the email on your account page, and connect {provider} there."
)
CONFIRM_FIRST = "Confirm your email on your account page first, then connect {provider} there."
STRONGEST = (Role.ADMIN, Role.EDITOR, Role.VIEWER)


class PublicOAuth2Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]
    """The provider returns people to BASE_URL, whatever host a proxy sends."""

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> SocialLogin:
        """Some providers send `email_verified` as a text: “false” is not verified."""
        login: SocialLogin = super().complete_login(request, app, token, **kwargs)
        for address in login.email_addresses:
            address.email = normalized(address.email)
            address.verified = address.verified is True or address.verified == "true"
        return login

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        return mail_origin(request) + reverse("openid_connect_callback", args=[self.provider_id])


class ProviderAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    error_messages = {  # noqa: RUF012  (as in allauth)
        **DefaultSocialAccountAdapter.error_messages,
        "no_password": "Set a password first, with “Forgot password?” on the sign-in page.",
    }

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        found = super().get_provider(request, provider, client_id=client_id)
        found.oauth2_adapter_class = PublicOAuth2Adapter
        return found

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        return reverse("account")

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Nobody leaves a connection in an account that they made with somebody else's address."""
        connects = sociallogin.state.get("process") == AuthProcess.CONNECT and settings.SENDS_MAIL
        if connects and isinstance(request.user, User) and not accounts.is_confirmed(request.user):
            raise _refused(request, sociallogin, CONFIRM_FIRST)

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: dict[str, Any]) -> User:
        user: User = super().populate_user(request, sociallogin, data)
        user.name = str(data.get("name") or "")[: people.NAME_LENGTH]
        return user

    def authenticate_by_email(self, sociallogin: SocialLogin) -> tuple[User, str] | None:
        """The account with the same verified address. Refuses one whose address was never confirmed."""
        found: tuple[User, str] | None = super().authenticate_by_email(sociallogin)
        if found and not accounts.is_confirmed(found[0]):
            raise _refused(self.request, sociallogin, NOT_CONFIRMED)
        return found

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """New people need a verified address, and SIGNUP or a group that gives them a role."""
        if workspaces.needs_first_start():
            return False
        if not any(address.verified for address in sociallogin.email_addresses):
            raise _refused(request, sociallogin, UNVERIFIED)
        return people.may_sign_up(sociallogin.user.email) or bool(_roles(sociallogin))

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """A new user gets a workspace of their own, unless a group puts them into another one."""
        try:
            with transaction.atomic():
                user: User = super().save_user(request, sociallogin, form)
                if not _roles(sociallogin):
                    workspaces.create_for_sign_up(owner=user)
        except IntegrityError:  # a concurrent sign-up with the same address
            raise Conflict("An account with this email already exists.") from None
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        log.warning("sign-in with %s failed: %s %.200r", provider.app.provider_id, error, exception)


def apply_roles(user: User, sociallogin: SocialLogin) -> None:
    """Give the user the roles that their groups at the provider stand for.

    Of several groups with a role in one workspace, the strongest role counts. Who has no such group keeps
    what they have: members are removed by people.
    """
    for slug, role in _roles(sociallogin).items():
        workspace = accounts.workspace_by_slug(slug)
        if workspace is None:
            log.warning("OIDC: a group stands for a role in %s, which does not exist", slug)
        elif not members.apply_role(workspace=workspace, user=user, role=role):
            log.warning("OIDC: a group stands for a role in %s, which has no seat left", slug)


def _roles(sociallogin: SocialLogin) -> dict[str, Role]:
    """The user's role by workspace slug, from the claim in the provider's userinfo or ID token."""
    provider = settings.OIDC_PROVIDERS.get(sociallogin.account.provider)
    if provider is None:
        return {}
    data = sociallogin.account.extra_data
    groups = {**data.get("id_token", {}), **data.get("userinfo", {})}.get(provider.claim) or []
    having = {groups} if isinstance(groups, str) else set(map(str, groups))
    found: dict[str, Role] = {}
    for entry in sorted(provider.roles, key=lambda entry: STRONGEST.index(Role(entry.role))):
        if entry.group in having:
            found.setdefault(entry.workspace, Role(entry.role))
    return found


def _refused(request: HttpRequest, sociallogin: SocialLogin, message: str) -> ImmediateHttpResponse:
    context = {"message": message.format(provider=sociallogin.provider.app.name)}
    return ImmediateHttpResponse(render(request, "socialaccount/refused.html", context, status=403))
