"""First start, redirects of the home page, the theme, and the health check."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from editor.models import CreditAccount, User, Workspace
from tests.factories import PASSWORD, UserFactory, make_workspace
from tests.patience import PATIENCE
from tests.web.requests import signed_in

FIRST = {
    "name": "Amara",
    "email": "amara@example.test",
    "password": PASSWORD,
    "workspace_name": "Acme Studio",
}


@pytest.mark.django_db
def test_the_first_visitor_is_welcomed_and_later_ones_sign_in() -> None:
    assert Client().get("/")["Location"] == reverse("welcome")
    UserFactory.create()
    assert Client().get("/")["Location"] == reverse("account_login")
    assert Client().get(reverse("welcome"))["Location"] == reverse("home")
    assert Client().post(reverse("welcome"), FIRST)["Location"] == reverse("home")
    assert User.objects.count() == 1


@pytest.mark.django_db
def test_the_first_user_lands_in_the_studio_as_operator_with_credits() -> None:
    client = Client()
    assert client.post(reverse("welcome"), FIRST)["Location"] == "/w/acme-studio/setup/"
    assert client.get("/w/acme-studio/setup/").status_code == 200
    landed = client.post("/w/acme-studio/setup/finish/")
    assert re.match(r"/w/acme-studio/v/[0-9a-f-]{36}/\?prompt=", landed["Location"])
    assert client.get(landed["Location"]).status_code == 200
    user = User.objects.get()
    assert user.is_superuser and user.is_staff
    assert CreditAccount.objects.get().balance == 500
    assert client.get("/admin/").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("email", "nonsense", "valid email"),
        ("email", "", "required"),
        ("password", "short", "at least 10"),
        ("password", "password1234", "too common"),
        ("workspace_name", "", "required"),
        ("workspace_name", "a\0b", "Null"),
        ("name", "x" * 121, "120"),
    ],
)
def test_an_invalid_first_start_creates_no_account(field: str, value: str, message: str) -> None:
    response = Client().post(reverse("welcome"), {**FIRST, field: value})
    assert response.status_code == 400
    assert message in response.content.decode()
    assert not User.objects.exists()
    assert not Workspace.objects.exists()


def test_of_two_concurrent_first_starts_one_succeeds(committed: None) -> None:
    together = Barrier(2)

    def come(email: str) -> str:
        try:
            client = Client()
            client.get(reverse("welcome"))
            together.wait(PATIENCE)
            response = client.post(reverse("welcome"), {**FIRST, "email": email})
            return str(response.headers.get("Location", response.status_code))
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        first, second = sorted(threads.map(come, ["amara@example.test", "bea@example.test"]))
    assert first.startswith("/w/acme-studio/")
    assert second == "400"
    assert User.objects.get().is_superuser
    assert Workspace.objects.count() == 1


@pytest.mark.django_db
def test_home_redirects_to_the_workspace_joined_first() -> None:
    user = UserFactory.create()
    make_workspace(name="First", owner=user)
    make_workspace(name="Second", owner=user)
    assert signed_in(user).get("/")["Location"] == "/w/first/"


@pytest.mark.django_db
def test_a_user_without_a_workspace_gets_an_explanation() -> None:
    response = signed_in(UserFactory.create()).get("/")
    assert response.status_code == 200
    assert "workspace" in response.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "kept"), [("dark", "dark"), ("light", "light"), ("auto", "auto"), ('"><script>', "auto")]
)
def test_the_theme_is_kept_and_rendered_by_the_server(chosen: str, kept: str) -> None:
    UserFactory.create()
    client = Client()
    response = client.post(reverse("theme"), {"theme": chosen})
    cookie = response.cookies["theme"]
    assert (cookie.value, cookie["samesite"]) == (kept, "Lax")
    assert f'data-theme="{kept}"' in client.get(reverse("account_login")).content.decode()


@pytest.mark.django_db
def test_an_invalid_theme_cookie_is_ignored() -> None:
    UserFactory.create()
    client = Client()
    client.cookies["theme"] = "x onload=alert(1)"
    assert 'data-theme="auto"' in client.get(reverse("account_login")).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("back", "location"),
    [
        ("http://testserver/w/acme/credits/", "http://testserver/w/acme/credits/"),
        ("http://elsewhere.example/", "/"),
        ("//elsewhere.example/", "/"),
        ("https:elsewhere.example", "/"),
        ("javascript:alert(1)", "/"),
        ("\\\\elsewhere.example", "/"),
        ("", "/"),
    ],
)
def test_changing_the_theme_redirects_only_within_the_portal(back: str, location: str) -> None:
    response = Client().post(reverse("theme"), {"theme": "dark"}, headers={"Referer": back})
    assert response["Location"] == location


def test_the_health_check_makes_no_query() -> None:
    """No database mark: a query would fail the test."""
    response = Client().get("/healthz")
    assert (response.status_code, response.content) == (200, b"ok\n")
