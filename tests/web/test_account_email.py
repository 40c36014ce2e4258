"""The email of an account: pending until its link is opened, which nobody else can do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access import proofs
from editor.contexts import mails
from editor.models import AuditEntry, User
from editor.operations import people, queue
from editor.operations.mails import Kind
from editor.queries import accounts
from tests.factories import UserFactory
from tests.web.requests import body, reauthenticated, signed_in

pytestmark = pytest.mark.django_db

ACCOUNT = reverse("account")


def queued(kind: Kind) -> list[ProcrastinateJob]:
    rows = ProcrastinateJob.objects.filter(task_name=queue.SEND_MAIL).order_by("id")
    return [row for row in rows if row.args["kind"] == kind]


def built(**given: Any) -> EmailMultiAlternatives:
    mail = mails.build(**given)
    assert mail
    return mail


def test_an_email_is_pending_until_its_owner_confirms_it() -> None:
    user = UserFactory.create(email="amara@example.test")
    client = reauthenticated(user)
    client.post(reverse("account_profile"), {"name": user.name, "email": "New@Example.test"})
    user.refresh_from_db()
    assert (user.email, user.pending_email) == ("amara@example.test", "new@example.test")
    (mail,) = queued(Kind.CONFIRM)
    message = built(**{**mail.args, "kind": Kind.CONFIRM})
    path = reverse("account_confirm_email", args=[proofs.of_email(user, "new@example.test")])
    assert "/accounts/address/" in message.body
    assert message.to == ["new@example.test"]
    assert "becomes the email" in body(client.get(path))
    assert User.objects.get(pk=user.pk).email == "amara@example.test", "opening the link is not enough"
    client.post(path)
    user.refresh_from_db()
    assert (user.email, user.pending_email) == ("new@example.test", "")
    assert accounts.is_confirmed(user)
    assert client.post(path).status_code == 404, "the link works once"
    entry = AuditEntry.objects.get(action="account.email_changed")
    assert (entry.before, entry.after) == ({"email": "amara@example.test"}, {"email": "new@example.test"})


def test_a_changed_email_needs_the_password() -> None:
    user = UserFactory.create()
    answer = signed_in(user).post(reverse("account_profile"), {"name": "", "email": "new@example.test"})
    assert answer["Location"].startswith(reverse("account_reauthenticate"))
    assert User.objects.get(pk=user.pk).pending_email == ""


def test_only_the_account_that_asked_can_confirm() -> None:
    """Or somebody could be talked into opening a link that gives their address to another account."""
    attacker, victim = UserFactory.create(), UserFactory.create(email="victim@example.test")
    attacker.pending_email = "victim@home.test"
    attacker.save()
    path = reverse("account_confirm_email", args=[proofs.of_email(attacker, "victim@home.test")])
    assert Client().get(path)["Location"].startswith(reverse("account_login"))
    assert signed_in(victim).post(path).status_code == 404
    assert not User.objects.filter(email="victim@home.test").exists()


def test_the_page_does_not_tell_whether_an_address_has_an_account() -> None:
    UserFactory.create(email="taken@example.test")
    pages = []
    for email in ("taken@example.test", "free@example.test"):
        user = UserFactory.create(email=f"asks-{email}", name="Amara")
        client = reauthenticated(user)
        client.post(reverse("account_profile"), {"name": "Amara", "email": email})
        text = re.sub(r"csrf\S+", "", body(client.get(ACCOUNT)).replace(user.email, "own"))
        pages.append(re.sub(r"<time.*?</time>|since=\S+|[\d.]{12,}", "", text).replace(email, "wanted"))
    assert pages[0] == pages[1]
    texts = [built(**{**mail.args, "kind": Kind.CONFIRM}).body for mail in queued(Kind.CONFIRM)]
    assert ["nothing changes.\n\nIf this was you" in text.replace("\r", "") for text in texts] == [
        True,
        False,
    ]
    assert "/address/" not in texts[0]


def test_an_address_that_was_taken_meanwhile_is_refused() -> None:
    user = UserFactory.create()
    user.pending_email = "new@example.test"
    user.save()
    client = signed_in(user)
    path = reverse("account_confirm_email", args=[proofs.of_email(user, "new@example.test")])
    UserFactory.create(email="new@example.test")
    assert client.post(path).status_code == 409
    assert User.objects.get(pk=user.pk).email != "new@example.test"


def test_a_pending_email_can_be_dropped() -> None:
    user = UserFactory.create()
    user.pending_email = "new@example.test"
    user.save()
    path = reverse("account_confirm_email", args=[proofs.of_email(user, "new@example.test")])
    client = signed_in(user)
    client.post(reverse("account_email_action"), {"keep": ""})
    assert User.objects.get(pk=user.pk).pending_email == ""
    assert client.post(path).status_code == 404


def test_a_reset_by_mail_confirms_the_email_and_ends_sessions(settings: Settings) -> None:
    settings.SENDS_MAIL = True
    user = UserFactory.create()
    elsewhere = reauthenticated(user)
    message = built(kind=Kind.RESET, email=user.email, origin="http://testserver")
    (path,) = [word for word in str(message.body).split() if "/key/" in word]
    client = Client()
    new = {"password1": "another long one", "password2": "another long one"}
    client.post(client.get(path.removeprefix("http://testserver"))["Location"], new)
    assert accounts.is_confirmed(user)
    assert elsewhere.get(ACCOUNT)["Location"].startswith(reverse("account_login"))
    assert not UserSession.objects.filter(user=user).exists()
    assert [mail.args["email"] for mail in queued(Kind.PASSWORD_CHANGED)] == [user.email]


def test_a_person_confirms_without_a_change() -> None:
    user = UserFactory.create()
    people.confirm_email(user=user, email=user.email)
    people.confirm_email(user=user, email=user.email)
    assert accounts.is_confirmed(user)
    assert not AuditEntry.objects.filter(action="account.email_changed").exists()
