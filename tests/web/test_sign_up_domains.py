"""SIGNUP=domains: only addresses of these domains create an account, and only with a mail server."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import proofs
from editor.models import User
from tests.factories import PASSWORD, UserFactory
from tests.web.requests import body

pytestmark = pytest.mark.django_db

SIGNUP = reverse("account_signup")


@pytest.fixture(autouse=True)
def domains(settings: Settings) -> None:
    settings.SIGNUP, settings.SIGNUP_DOMAINS, settings.SENDS_MAIL = "domains", ["acme.test"], True
    UserFactory.create()


@pytest.mark.parametrize(
    ("email", "accepted"),
    [
        ("new@acme.test", True),
        ("new@ACME.test", True),
        ("new@other.test", False),
        ("new@sub.acme.test", False),
        ("new@acme.test.evil.test", False),
        ('"@acme.test"@evil.test', False),
    ],
)
def test_only_addresses_of_the_domains_sign_up(settings: Settings, email: str, accepted: bool) -> None:
    page = Client().post(SIGNUP, {"email": email, "password1": PASSWORD})
    assert page.status_code == (302 if accepted else 200)
    assert ("other email addresses only" in body(page)) is not accepted
    assert ProcrastinateJob.objects.filter(task_name="send_mail").exists() is accepted
    assert not User.objects.filter(email=email.lower()).exists()


def test_a_link_from_before_the_domains_were_set_no_longer_works() -> None:
    path = reverse("sign_up_finish", args=[proofs.of_address("new@other.test")])
    assert "by invitation" in body(Client().post(path, {"password": PASSWORD}))
    assert not User.objects.filter(email="new@other.test").exists()


def test_the_sign_in_page_offers_sign_up() -> None:
    assert SIGNUP in body(Client().get(reverse("account_login")))
