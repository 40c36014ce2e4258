"""Sign-in with a real OpenID Connect provider on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.models import AuditEntry, Membership, Role, User
from editor.operations import people
from imageeditor.accounts import GroupRole, OidcProvider
from tests.factories import PASSWORD, UserFactory, make_member, make_workspace
from tests.identity_provider.__main__ import CLIENT_ID, CLIENT_SECRET
from tests.identity_provider.process import IdentityProvider
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

CALLBACK = reverse("openid_connect_callback", args=["acme"])


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdentityProvider]:
    with IdentityProvider(tmp_path_factory.mktemp("provider")) as running:
        running.allow(f"http://testserver{CALLBACK}")
        running.add("amara")
        running.add("unverified", verified=False)
        running.add("mover")
        running.add("leaver")
        running.add("grouped", groups=("designers", "leads"))
        yield running


@pytest.fixture(autouse=True)
def set_up(provider: IdentityProvider, settings: Settings) -> None:
    """The provider is set up in the portal, and sign-up is open."""
    use(settings, provider)
    settings.SIGNUP, settings.ALLOWED_HOSTS = "open", ["testserver"]
    UserFactory.create()  # not the first start


def use(settings: Settings, provider: IdentityProvider, *roles: GroupRole) -> None:
    acme = OidcProvider(
        id="acme",
        name="Acme SSO",
        issuer=provider.url,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        claim="groups",
        roles=roles,
    )
    settings.OIDC_PROVIDERS = {"acme": acme}
    settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": [acme.app]}}


def sign_in(provider: IdentityProvider, name: str, client: Client | None = None, **fields: str) -> Any:
    """Sign in as this person of the provider; the portal's response when they come back."""
    client = client or Client()
    query = "?process=connect" if fields.get("process") == "connect" else ""
    page = client.post(reverse("openid_connect_login", args=["acme"]) + query)
    link = re.search(r'href="(http[^"]+authorize[^"]+)"', page.content.decode())
    assert link, page.content.decode()
    assert page["Refresh"] == f"0; url={unescape(link[1])}"
    back = urlsplit(provider.continue_at(unescape(link[1]), name=name))
    return client.get(f"{back.path}?{back.query}")


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_new_person_gets_an_account_with_a_confirmed_email(provider: IdentityProvider) -> None:
    client = Client()
    assert sign_in(provider, "amara", client)["Location"] == "/"
    user = User.objects.get(email="amara@acme.test")
    assert (user.name, user.has_usable_password()) == ("Amara Okafor", False)
    assert is_signed_in(client)
    assert "Confirmed" in body(client.get(reverse("account")))
    assert Membership.objects.get(user=user).role == Role.OWNER
    sign_in(provider, "amara")
    assert User.objects.filter(email="amara@acme.test").count() == 1
    assert AuditEntry.objects.filter(action="account.signed_in", data__how="acme").count() == 2


def test_without_a_form_nothing_begins() -> None:
    assert Client().get(reverse("openid_connect_login", args=["acme"])).status_code == 405


def test_an_address_that_the_provider_has_not_verified_gets_no_account(provider: IdentityProvider) -> None:
    client = Client()
    answer = sign_in(provider, "unverified", client)
    assert answer.status_code == 403
    assert "Acme SSO has not verified your email address" in body(answer)
    assert not is_signed_in(client)
    assert not User.objects.filter(email="unverified@acme.test").exists()


def test_an_unverified_address_does_not_open_the_account_with_that_address(
    provider: IdentityProvider,
) -> None:
    user = UserFactory.create(email="unverified@acme.test")
    people.confirm_email(user=user, email=user.email)
    client = Client()
    assert sign_in(provider, "unverified", client).status_code == 403
    assert not is_signed_in(client)
    assert user.check_password(PASSWORD)


def test_an_account_with_the_same_confirmed_address_is_used(provider: IdentityProvider) -> None:
    user = UserFactory.create(email="amara@acme.test")
    people.confirm_email(user=user, email=user.email)
    client = Client()
    sign_in(provider, "amara", client)
    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_account_whose_address_was_never_confirmed_is_not_used(provider: IdentityProvider) -> None:
    """Somebody may have created it with the address of another person."""
    user = UserFactory.create(email="amara@acme.test")
    client = Client()
    answer = sign_in(provider, "amara", client)
    assert answer.status_code == 403
    assert "never confirmed here" in body(answer)
    assert not is_signed_in(client)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)


def test_an_address_that_changes_at_the_provider_changes_nothing_here(provider: IdentityProvider) -> None:
    sign_in(provider, "mover")
    user = User.objects.get(email="mover@acme.test")
    other = UserFactory.create(email="moved@acme.test")
    people.confirm_email(user=other, email=other.email)
    provider.set_address("mover", "moved@acme.test")
    client = Client()
    sign_in(provider, "mover", client)
    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.email == "mover@acme.test"


def test_a_disabled_account_stays_out(provider: IdentityProvider) -> None:
    sign_in(provider, "amara")
    User.objects.filter(email="amara@acme.test").update(is_active=False)
    client = Client()
    assert sign_in(provider, "amara", client)["Location"] == reverse("account_inactive")
    assert not is_signed_in(client)


def test_a_disabled_account_with_the_same_address_stays_out(provider: IdentityProvider) -> None:
    user = UserFactory.create(email="amara@acme.test")
    people.confirm_email(user=user, email=user.email)
    User.objects.filter(pk=user.pk).update(is_active=False)
    client = Client()
    answer = sign_in(provider, "amara", client)
    assert answer.status_code in (302, 403)
    assert not is_signed_in(client)
    assert User.objects.filter(email="amara@acme.test").count() == 1


def test_an_account_that_is_disabled_at_the_provider_stays_out(provider: IdentityProvider) -> None:
    client = Client()
    page = client.post(reverse("openid_connect_login", args=["acme"]))
    link = re.search(r'href="(http[^"]+authorize[^"]+)"', page.content.decode())
    assert link
    back = urlsplit(provider.continue_at(unescape(link[1]), name="leaver"))
    provider.disable("leaver")  # between its page and the portal's request for the token
    answer = client.get(f"{back.path}?{back.query}")
    assert answer.status_code == 401
    assert "did not confirm who you are" in body(answer)
    assert not is_signed_in(client)


def test_with_sign_up_by_invitation_strangers_get_no_account(
    provider: IdentityProvider, settings: Settings
) -> None:
    settings.SIGNUP = "invite"
    client = Client()
    assert "by invitation" in body(sign_in(provider, "amara", client))
    assert not is_signed_in(client)
    assert not User.objects.filter(email="amara@acme.test").exists()


def test_a_group_gives_a_role_in_a_workspace_and_an_account_there(
    provider: IdentityProvider, settings: Settings
) -> None:
    settings.SIGNUP = "invite"
    workspace = make_workspace(name="Acme Studio")
    use(
        settings,
        provider,
        GroupRole(group="designers", workspace="acme-studio", role="viewer"),
        GroupRole(group="leads", workspace="acme-studio", role="admin"),
        GroupRole(group="leads", workspace="no-such", role="admin"),
    )
    sign_in(provider, "grouped")
    membership = Membership.objects.get(user__email="grouped@acme.test")
    assert (membership.workspace, membership.role) == (workspace, Role.ADMIN)
    provider.set_groups("grouped", ("designers",))
    sign_in(provider, "grouped")
    membership.refresh_from_db()
    assert membership.role == Role.VIEWER
    provider.set_groups("grouped", ())
    sign_in(provider, "grouped")
    membership.refresh_from_db()
    assert membership.role == Role.VIEWER


def test_a_group_takes_no_ownership_away(provider: IdentityProvider, settings: Settings) -> None:
    workspace = make_workspace(name="Acme Studio")
    sign_in(provider, "amara")
    user = User.objects.get(email="amara@acme.test")
    Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
    use(settings, provider, GroupRole(group="designers", workspace="acme-studio", role="viewer"))
    provider.set_groups("amara", ("designers",))
    sign_in(provider, "amara")
    assert Membership.objects.get(user=user, workspace=workspace).role == Role.OWNER


def test_an_account_is_connected_on_its_page_and_disconnected_again(provider: IdentityProvider) -> None:
    user = make_member(make_workspace())
    client = Client()
    client.post(reverse("account_login"), {"login": user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert sign_in(provider, "amara", client, process="connect")["Location"] == reverse("account")
    page = body(client.get(reverse("account")))
    assert "amara@acme.test" in page
    visitor = Client()
    sign_in(provider, "amara", visitor)
    assert visitor.session["_auth_user_id"] == str(user.pk)
    number = re.search(r'name="account"\s+value="(\d+)"', page)
    assert number
    client.post(reverse("account_disconnect"), {"account": number[1]})
    assert "Not connected" in body(client.get(reverse("account")))


def test_somebody_elses_state_is_refused(provider: IdentityProvider) -> None:
    """As in a link that an attacker sends, to sign the victim in to the attacker's account."""
    attacker = Client()
    page = attacker.post(reverse("openid_connect_login", args=["acme"]))
    link = re.search(r'href="(http[^"]+authorize[^"]+)"', page.content.decode())
    assert link
    back = urlsplit(provider.continue_at(unescape(link[1]), name="amara"))
    victim = Client()
    assert victim.get(f"{back.path}?{back.query}").status_code == 401
    assert not is_signed_in(victim)


def test_a_second_factor_is_asked_for_here_too(provider: IdentityProvider) -> None:
    from tests.web.factors import add_app

    sign_in(provider, "amara")
    add_app(User.objects.get(email="amara@acme.test"))
    client = Client()
    assert sign_in(provider, "amara", client)["Location"] == reverse("mfa_authenticate")
    assert not is_signed_in(client)


def test_a_provider_that_does_not_respond_is_reported(settings: Settings, provider: IdentityProvider) -> None:
    use(settings, provider)
    settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"] = {
        "server_url": "http://127.0.0.1:9"
    }
    answer = Client().post(reverse("openid_connect_login", args=["acme"]))
    assert answer.status_code == 422
    assert "does not respond" in body(answer)


def test_an_unknown_provider_is_not_found() -> None:
    assert Client().post(reverse("openid_connect_login", args=["other"])).status_code == 404
    assert (
        signed_in(UserFactory.create()).post(reverse("openid_connect_login", args=["other"])).status_code
        == 404
    )
