"""An identity provider that sends what the standard does not foresee."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from allauth.core import context
from allauth.socialaccount.models import SocialLogin, SocialToken
from django.contrib.auth.models import AnonymousUser
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.models import Membership, Plan, Role, Workspace
from editor.operations import people
from editor.web.oidc import PublicOAuth2Adapter, apply_roles
from imageeditor.accounts import GroupRole, OidcProvider
from tests.factories import UserFactory, make_member, make_workspace

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


def in_groups(*groups: str) -> Any:
    """Somebody with these groups at the provider."""
    data = {"userinfo": {"groups": list(groups)}}
    return SimpleNamespace(account=SimpleNamespace(provider="acme", extra_data=data))


def test_groups_leave_the_permission_to_edit_as_it_is(settings: Settings) -> None:
    """An owner switched it off; the member signs in again."""
    workspace = make_workspace()
    set_up(
        settings,
        GroupRole("designers", workspace.slug, "editor"),
        GroupRole("leads", workspace.slug, "admin"),
    )
    editor = make_member(workspace, role=Role.EDITOR, access_image_editor=False, monthly_cap=5)
    for group, role in (("designers", Role.EDITOR), ("leads", Role.ADMIN)):
        apply_roles(editor, in_groups(group))
        membership = Membership.objects.get(user=editor)
        found = (membership.role, membership.access_image_editor, membership.monthly_cap)
        assert found == (role, False, 5)


def test_groups_give_no_seat_that_the_plan_does_not_have(settings: Settings) -> None:
    workspace = make_workspace()
    Plan.objects.filter(workspaces=workspace).update(seats=1)
    set_up(settings, GroupRole("designers", workspace.slug, "editor"))
    user = UserFactory.create()
    apply_roles(user, in_groups("designers"))
    assert not user.memberships.exists()
    Plan.objects.filter(workspaces=workspace).update(seats=2)
    apply_roles(user, in_groups("designers"))
    assert user.memberships.get().role == Role.EDITOR


def test_groups_give_no_role_in_a_deleted_workspace(settings: Settings) -> None:
    workspace = make_workspace()
    set_up(settings, GroupRole("designers", workspace.slug, "editor"))
    Workspace.objects.filter(pk=workspace.pk).update(deleted_at=timezone.now())
    user = UserFactory.create()
    apply_roles(user, in_groups("designers"))
    assert not user.memberships.exists()


def test_strangers_do_not_make_the_portal_call_the_provider_without_limit(settings: Settings) -> None:
    """While a provider hangs, each call occupies a thread for ten seconds."""
    set_up(settings)
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] = {
        "server_url": "http://127.0.0.1:9"
    }
    client, path = Client(), reverse("openid_connect_login", args=["acme"])
    answers = [client.post(path).status_code for _ in range(70)]
    assert answers == [422] * 60 + [429] * 10
