"""Signing in, signing up and signing out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.models import CreditAccount, Membership, Role, User, Workspace
from editor.operations import workspaces
from tests.factories import PASSWORD, UserFactory, make_workspace
from tests.web.requests import signed_in

LOGIN, LOGOUT, SIGNUP = reverse("account_login"), reverse("account_logout"), reverse("account_signup")
NEW = {"email": "new@example.test", "password1": PASSWORD}


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["amara@example.test", "Amara@Example.TEST", " amara@example.test "])
def test_sign_in_ignores_the_case_of_the_email(typed: str) -> None:
    UserFactory.create(email="amara@example.test")
    client = Client()
    response = client.post(LOGIN, {"login": typed, "password": PASSWORD})
    assert response["Location"] == "/"
    assert is_signed_in(client)


@pytest.mark.django_db
def test_a_page_that_needs_an_account_says_so_at_the_sign_in() -> None:
    words = "You are not signed in. Sign in to open the page you were on."
    asked = Client().get(reverse("studio", args=["acme"]), follow=True)
    assert asked.request["PATH_INFO"] == LOGIN
    assert words in asked.content.decode()
    assert words not in Client().get(LOGIN).content.decode()


@pytest.mark.django_db
def test_an_account_created_with_capitals_signs_in() -> None:
    workspaces.create_user(email="Amara@Example.test", password=PASSWORD)
    client = Client()
    client.post(LOGIN, {"login": "Amara@Example.test", "password": PASSWORD})
    assert is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password"),
    [("amara@example.test", "wrong"), ("nobody@example.test", PASSWORD), ("a\0b@example.test", PASSWORD)],
)
def test_a_failed_sign_in_does_not_reveal_which_half_was_wrong(email: str, password: str) -> None:
    UserFactory.create(email="amara@example.test")
    client = Client()
    page = client.post(LOGIN, {"login": email, "password": password}).content.decode()
    assert not is_signed_in(client)
    assert 'name="password"' in page


@pytest.mark.django_db
def test_a_deactivated_user_cannot_sign_in() -> None:
    UserFactory.create(email="amara@example.test", is_active=False)
    client = Client()
    client.post(LOGIN, {"login": "amara@example.test", "password": PASSWORD})
    assert not is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "elsewhere", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"]
)
def test_sign_in_redirects_only_within_the_portal(elsewhere: str) -> None:
    UserFactory.create(email="amara@example.test")
    data = {"login": "amara@example.test", "password": PASSWORD, "next": elsewhere}
    assert "elsewhere" not in Client().post(LOGIN, data)["Location"]


@pytest.mark.django_db
def test_signing_out_needs_a_post() -> None:
    client = signed_in(UserFactory.create())
    client.get(LOGOUT)
    assert is_signed_in(client)
    assert client.post(LOGOUT)["Location"] == LOGIN
    assert not is_signed_in(client)


@pytest.mark.django_db
def test_sign_up_is_closed_unless_the_operator_opens_it() -> None:
    UserFactory.create()
    client = Client()
    assert 'name="password1"' not in client.get(SIGNUP).content.decode()
    client.post(SIGNUP, NEW)
    assert User.objects.count() == 1
    assert SIGNUP not in client.get(LOGIN).content.decode()


@pytest.mark.django_db
def test_an_open_sign_up_creates_a_workspace_without_credits_or_operator_rights(settings: Settings) -> None:
    settings.SIGNUP = "open"
    make_workspace()
    client = Client()
    assert SIGNUP in client.get(LOGIN).content.decode()
    assert client.post(SIGNUP, NEW)["Location"] == "/"
    user = User.objects.get(email="new@example.test")
    membership = Membership.objects.get(user=user)
    assert (membership.role, membership.workspace.name) == (Role.OWNER, "new's workspace")
    assert CreditAccount.objects.get(workspace=membership.workspace).balance == 0
    assert not user.is_staff and not user.is_superuser
    assert client.get("/")["Location"] == reverse("studio", args=[membership.workspace.slug])


@pytest.mark.django_db
def test_the_first_account_cannot_be_created_by_sign_up(settings: Settings) -> None:
    settings.SIGNUP = "open"
    Client().post(SIGNUP, NEW)
    assert not User.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("email", ["amara@example.test", "AMARA@example.test"])
def test_an_email_can_sign_up_only_once(settings: Settings, email: str) -> None:
    settings.SIGNUP = "open"
    UserFactory.create(email="amara@example.test")
    Client().post(SIGNUP, {"email": email, "password1": PASSWORD})
    assert User.objects.count() == 1


def test_concurrent_sign_ups_with_the_same_name_each_get_a_workspace(
    committed: None, settings: Settings
) -> None:
    settings.SIGNUP = "open"
    UserFactory.create()

    def sign_up(number: int) -> int:
        try:
            return Client().post(SIGNUP, {**NEW, "email": f"new@example{number}.test"}).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(sign_up, range(6))) == [302] * 6
    assert Workspace.objects.filter(name="new's workspace").count() == 6


def test_concurrent_sign_ups_with_one_email_create_one_account(committed: None, settings: Settings) -> None:
    settings.SIGNUP = "open"
    UserFactory.create()

    def sign_up(number: int) -> int:
        try:
            return Client().post(SIGNUP, NEW).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        assert max(threads.map(sign_up, range(4))) < 500
    assert User.objects.filter(email="new@example.test").count() == 1
    assert Workspace.objects.count() == 1
