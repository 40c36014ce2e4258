"""Passkeys: where they are offered, and responses of browsers that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.access import proofs, second_factor
from editor.models import User
from tests.factories import PASSWORD, UserFactory, make_member, make_workspace
from tests.web.factors import add_app
from tests.web.requests import body, by_password, is_signed_in

pytestmark = pytest.mark.django_db

LOGIN, CODE = reverse("account_login"), reverse("mfa_authenticate")


@pytest.fixture
def user() -> User:
    return make_member(make_workspace(name="Acme Studio"))


def test_passkeys_are_offered_only_where_browsers_have_them(settings: Settings) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    offered = {
        host: "Use a passkey" in body(Client(headers={"host": host}).get(LOGIN, secure=secure))
        for host, secure in (
            ("localhost:8000", False),
            ("images.example.com", True),
            ("images.example.com", False),
            ("127.0.0.1:8000", False),
            ("[::1]:8000", True),
        )
        if not (host == "images.example.com" and secure)
    }
    assert offered == {
        "localhost:8000": True,
        "images.example.com": False,
        "127.0.0.1:8000": False,
        "[::1]:8000": False,
    }
    settings.BASE_URL, settings.HTTPS = "https://images.example.com", True
    assert "Use a passkey" in body(Client(headers={"host": "10.0.0.1:8000"}).get(LOGIN))


@pytest.mark.parametrize("purpose", ["add", "confirm", "nonsense"])
def test_options_for_accounts_need_one(purpose: str) -> None:
    assert Client().get(reverse("passkey_options", args=[purpose])).status_code == 404


def test_options_for_a_sign_up_do_not_depend_on_the_address() -> None:
    UserFactory.create(email="taken@example.test")
    found = []
    for email in ("taken@example.test", "free@example.test"):
        answer = Client().get(reverse("passkey_options", args=["sign-up"]), {"email": email}).json()
        found.append((answer["create"]["excludeCredentials"], answer["create"]["authenticatorSelection"]))
    assert found[0] == found[1]


RESPONSE = {
    "clientDataJSON": "e30",
    "attestationObject": "oA",
    "authenticatorData": "oA",
    "signature": "oA",
    "userHandle": "MDA",
}


MALFORMED: list[Any] = [
    {},
    [],
    None,
    "x",
    {"id": "x"},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {}},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": RESPONSE},
    {"id": "AA", "rawId": "AA", "type": "public-key", "response": {**RESPONSE, "userHandle": None}},
    {"id": 1, "rawId": [], "type": {}, "response": []},
]


@pytest.mark.parametrize("credential", MALFORMED, ids=repr)
def test_malformed_passkeys_are_refused(user: User, credential: object) -> None:
    """On each page that takes one."""
    text = json.dumps(credential)
    client = Client(headers={"host": "localhost"})
    client.get(reverse("passkey_options", args=["sign-in"]))
    client.post(reverse("mfa_login_webauthn"), {"credential": text})
    assert not is_signed_in(client)
    member = by_password(user)
    member.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    member.get(reverse("passkey_options", args=["add"]))
    page = member.post(reverse("mfa_add_webauthn"), {"credential": text, "passwordless": "on"})
    assert page.status_code == 200
    assert not second_factor.exists(user)
    add_app(user)
    stage = by_password(user)
    stage.get(reverse("passkey_options", args=["confirm"]))
    stage.post(CODE, {"credential": text})
    assert not is_signed_in(stage)


def test_a_malformed_passkey_creates_no_account(settings: Settings) -> None:
    settings.SIGNUP = "open"
    UserFactory.create()
    client = Client()
    client.get(reverse("passkey_options", args=["sign-up"]), {"email": "new@example.test"})
    path = reverse("sign_up_finish", args=[proofs.of_address("new@example.test")])
    page = body(client.post(path, {"credential": "{}", "password": ""}))
    assert "passkey could not be created" in page
    assert not User.objects.filter(email="new@example.test").exists()
