"""Sign-up by mail: nothing reveals which addresses have an account, and nobody gets somebody else's."""

from __future__ import annotations

import pytest
from django.core import signing
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import proofs
from editor.models import Membership, User
from editor.operations import queue
from tests.factories import PASSWORD, UserFactory
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

SIGNUP, SENT = reverse("account_signup"), reverse("sign_up_sent")


@pytest.fixture(autouse=True)
def open_by_mail(settings: Settings) -> User:
    settings.SIGNUP, settings.SENDS_MAIL = "open", True
    return UserFactory.create(email="amara@example.test")


def link(email: str) -> str:
    return reverse("sign_up_finish", args=[proofs.of_address(email)])


def queued() -> list[str]:
    rows = ProcrastinateJob.objects.filter(task_name=queue.SEND_MAIL).order_by("id")
    return [row.args["email"] for row in rows if row.args["kind"] == "sign_up"]


def test_known_and_new_addresses_get_the_same_response() -> None:
    for email in ("amara@example.test", "new@example.test"):
        answer = Client().post(SIGNUP, {"email": email, "password1": PASSWORD})
        assert (answer.status_code, answer["Location"]) == (302, SENT)
    assert queued() == ["amara@example.test", "new@example.test"]
    assert User.objects.count() == 1
    assert "Check your email" in body(Client().get(SENT))


def test_the_link_creates_the_account_and_signs_in() -> None:
    client = Client()
    assert "new@example.test" in body(client.get(link("new@example.test")))
    answer = client.post(link("new@example.test"), {"password": PASSWORD})
    membership = Membership.objects.get(user__email="new@example.test")
    assert answer["Location"] == reverse("studio", args=[membership.workspace.slug])
    assert client.get(answer["Location"]).status_code == 200
    assert not membership.user.is_staff


def test_a_weak_password_is_reported_beside_its_field() -> None:
    page = body(Client().post(link("new@example.test"), {"password": "short"}))
    assert "too short" in page
    assert User.objects.count() == 1


def test_a_used_link_creates_no_second_account_and_changes_none() -> None:
    client = Client()
    client.post(link("new@example.test"), {"password": PASSWORD})
    page = body(Client().post(link("new@example.test"), {"password": "another password 1"}))
    assert "already exists" in page
    assert User.objects.get(email="new@example.test").check_password(PASSWORD)


@pytest.mark.parametrize("salt", ["django.core.signing", "account", "editor.known-browser:new@example.test"])
def test_a_token_signed_for_another_purpose_is_not_found(salt: str) -> None:
    for token in ("nonsense", signing.dumps("new@example.test", salt=salt)):
        answer = Client().post(reverse("sign_up_finish", args=[token]), {"password": PASSWORD})
        assert answer.status_code == 404
    assert User.objects.count() == 1


def test_an_expired_link_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    old = link("new@example.test")
    monkeypatch.setattr(proofs, "SECONDS", -1)
    assert Client().get(old).status_code == 404


def test_a_closed_sign_up_is_closed_for_earlier_links_too(settings: Settings) -> None:
    settings.SIGNUP = "invite"
    assert "by invitation" in body(Client().post(SIGNUP, {"email": "new@example.test"}))
    assert "by invitation" in body(Client().post(link("new@example.test"), {"password": PASSWORD}))
    assert (User.objects.count(), queued()) == (1, [])


def test_many_mails_to_one_address_are_refused() -> None:
    answers = [Client().post(SIGNUP, {"email": "new@example.test"}).status_code for _ in range(6)]
    assert answers == [302] * 5 + [429]


def test_a_signed_in_user_is_redirected(open_by_mail: User) -> None:
    assert signed_in(open_by_mail).get(SIGNUP)["Location"] == "/"
