"""The content of mails, to people with and without an account."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.contexts import mails
from editor.operations import approval_notices
from editor.operations.mails import Kind
from tests.approvals import approval_of, ask, make_team
from tests.factories import UserFactory

pytestmark = pytest.mark.django_db

ORIGIN = "https://images.example.com"


def build(**given: Any) -> EmailMultiAlternatives:
    """The mail, which is to be sent."""
    mail = mails.build(**given)
    assert mail is not None
    return mail


def links(text: object) -> list[str]:
    return re.findall(r"\w+://\S+", str(text).replace(f"at {ORIGIN}", ""))


def test_a_reset_links_to_the_new_password_page() -> None:
    user = UserFactory.create(email="amara@example.test")
    mail = build(kind=Kind.RESET, email=user.email, origin=ORIGIN)
    assert (mail.to, mail.subject) == ([user.email], "Reset your Atelier password")
    (link,) = links(mail.body)
    assert link.startswith(f"{ORIGIN}/accounts/password/reset/key/")
    client = Client()
    form = client.get(link.removeprefix(ORIGIN))
    new = {"password1": "staple battery horse", "password2": "staple battery horse"}
    assert client.post(form["Location"], new)["Location"] == reverse("account_reset_password_from_key_done")
    user.refresh_from_db()
    assert user.check_password("staple battery horse")
    assert "no longer works" in Client().get(link.removeprefix(ORIGIN)).content.decode()


@pytest.mark.parametrize("active", [None, False], ids=["nobody", "disabled"])
def test_with_closed_sign_up_nobody_is_invited_to_sign_up(active: bool | None) -> None:
    if active is not None:
        UserFactory.create(email="amara@example.test", is_active=active)
    mail = build(kind=Kind.RESET, email="amara@example.test", origin=ORIGIN)
    assert links(mail.body) == []
    assert "by invitation only" in mail.body


def test_an_open_sign_up_is_mentioned(settings: Settings) -> None:
    settings.SIGNUP = "open"
    mail = build(kind=Kind.RESET, email="nobody@example.test", origin=ORIGIN)
    assert links(mail.body) == [f"{ORIGIN}{reverse('account_signup')}"]


def test_an_existing_account_is_not_offered_a_second() -> None:
    UserFactory.create(email="amara@example.test")
    mail = build(kind=Kind.SIGN_UP, email="amara@example.test", origin=ORIGIN)
    assert links(mail.body) == [f"{ORIGIN}{reverse('account_login')}"]


def test_a_new_address_gets_a_sign_up_link() -> None:
    mail = build(kind=Kind.SIGN_UP, email="new@example.test", origin=ORIGIN)
    (link,) = links(mail.body)
    assert link.startswith(f"{ORIGIN}/accounts/signup/link/")
    assert "new@example.test" in mail.body


def test_the_site_name_is_not_escaped(settings: Settings) -> None:
    settings.SITE_NAME = "Ada & Sons"
    mail = build(kind=Kind.RESET, email="nobody@example.test", origin=ORIGIN)
    assert mail.subject == "No Ada & Sons account found"


@pytest.mark.parametrize("kind", [Kind.APPROVAL_REQUESTED, Kind.APPROVAL_ANSWERED])
def test_an_approval_of_a_thousand_credits_is_mailed(kind: Kind) -> None:
    team = make_team()
    approval = approval_of(ask(team.editor))
    approval.price = 1_234
    details = approval_notices.details(approval) | {"state": "granted", "by": "Mei"}
    message = mails.build(kind=kind, email=team.admin.user.email, origin="http://x.test", details=details)
    assert message and "1,234 credits" in message.body
