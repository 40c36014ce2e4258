"""An identity provider that sends what the standard does not foresee."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.core import context
from allauth.socialaccount.models import SocialLogin, SocialToken
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from pytest_django import Settings

from editor.operations import people
from editor.web.oidc import PublicOAuth2Adapter
from imageeditor.accounts import GroupRole, OidcProvider
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db


def set_up(settings: Settings, *roles: GroupRole) -> None:
    acme = OidcProvider("acme", "Acme SSO", "https://id.example", "client", "secret", "groups", roles)
    settings.OIDC_PROVIDERS = {"acme": acme}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [acme.app]}}


def login_with(monkeypatch: pytest.MonkeyPatch, **claims: Any) -> SocialLogin:
    """What the portal makes of these claims, with the account that they open."""
    request = RequestFactory().get("/")
    request.user, request.session = AnonymousUser(), {}  # type: ignore[assignment]
    adapter = PublicOAuth2Adapter(request, "acme")
    monkeypatch.setattr(adapter, "_fetch_user_info", lambda token: {"sub": "1", **claims})
    with context.request_context(request):
        app = adapter.get_provider().app
        login: SocialLogin = adapter.complete_login(request, app, SocialToken(token="t"), response={})
        login.lookup()
    return login


@pytest.mark.parametrize("verified", ["false", "False", "0", 1, "", None, [], "no"])
def test_what_is_not_true_does_not_verify_an_address(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, verified: Any
) -> None:
    set_up(settings)
    victim = UserFactory.create(email="victim@acme.test")
    people.confirm_email(user=victim, email=victim.email)
    login = login_with(monkeypatch, email="victim@acme.test", email_verified=verified)
    assert login.user != victim
    assert not any(address.verified for address in login.email_addresses)


@pytest.mark.parametrize("verified", [True, "true"])
def test_a_verified_address_opens_its_account(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, verified: Any
) -> None:
    set_up(settings)
    victim = UserFactory.create(email="victim@acme.test")
    people.confirm_email(user=victim, email=victim.email)
    assert login_with(monkeypatch, email="victim@acme.test", email_verified=verified).user == victim
