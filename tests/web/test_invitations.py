"""The form that invites people, and the page that an invitation's link opens."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.access import invitation_links
from editor.access.actor import Actor
from editor.models import Invitation, Membership, Plan, User
from tests.factories import PASSWORD, UserFactory, make_actor
from tests.web.inviting import invite, link
from tests.web.requests import HTMX, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> Actor:
    return make_actor()


@pytest.fixture
def client(owner: Actor) -> Client:
    return signed_in(owner.user)


def test_the_good_addresses_are_sent_and_the_others_stay_in_the_form(owner: Actor, client: Client) -> None:
    url = reverse("invite", args=[owner.workspace.slug])
    data = {"emails": "sofia@acme.test; nobody", "role": "viewer", "monthly_cap": "300"}
    page = client.post(url, data, headers=HTMX).content.decode()
    invitation = Invitation.objects.get()
    assert (invitation.role, invitation.monthly_cap, invitation.access_image_editor) == ("viewer", 300, False)
    assert link(invitation) in page
    assert "nobody is not an email address." in page
    form = page.partition('id="invite-form"')[2]
    assert ">nobody</textarea>" in form
    assert "1 invitation created" in page


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"emails": ""}, "at least one email address"),
        ({"emails": "a@acme.test", "role": "owner"}, "Select a valid choice"),
        ({"emails": "a@acme.test", "role": "editor", "monthly_cap": "x"}, "whole number of credits"),
    ],
    ids=str,
)
def test_a_form_with_problems_invites_nobody(
    owner: Actor, client: Client, data: dict[str, str], problem: str
) -> None:
    url = reverse("invite", args=[owner.workspace.slug])
    page = client.post(url, data, headers=HTMX).content.decode()
    assert not Invitation.objects.exists()
    if "role" not in data or data["role"] != "owner":
        assert problem in page


def test_the_button_says_how_many_people_the_addresses_are(owner: Actor, client: Client) -> None:
    Plan.objects.update(seats=3)
    url = reverse("invite_count", args=[owner.workspace.slug])
    page = client.post(url, {"emails": "a@b.c, a@b.c\nd@e.f"}, headers=HTMX).content.decode()
    assert "2 people · 2 seats free" in page
    assert "Send 2 invitations" in page
    Plan.objects.update(seats=1)
    form = client.get(reverse("invite", args=[owner.workspace.slug]), headers=HTMX).content.decode()
    assert "No seat is free" in form
    assert "disabled" in form.partition('id="invite-send"')[2][:20]


def test_a_new_person_joins_by_the_link_and_lands_in_the_studio(owner: Actor) -> None:
    invitation = invite(owner, monthly_cap=300)
    visitor = Client()
    page = visitor.get(link(invitation)).content.decode()
    assert "with up to <b>300 credits</b> a month" in page
    weak = visitor.post(link(invitation), {"name": "Sofia", "password": "short"})
    assert "too short" in weak.content.decode()
    response = visitor.post(link(invitation), {"name": "Sofia", "password": PASSWORD})
    studio = reverse("studio", args=[owner.workspace.slug])
    assert (response.status_code, response["Location"]) == (302, studio)
    assert visitor.get(studio).status_code == 200
    assert "This invitation was used" in Client().get(link(invitation)).content.decode()
    assert "You are a member already" in visitor.get(link(invitation)).content.decode()


@pytest.mark.parametrize("mailed", [True, False])
def test_only_the_link_of_the_mail_confirms_the_address(owner: Actor, mailed: bool) -> None:
    token = invitation_links.token(invite(owner), mailed=mailed)
    visitor = Client()
    page = visitor.get(reverse("invitation", args=[token])).content.decode()
    form = re.search(r'action="(/invitations/[^"]+)"', page)
    assert form
    visitor.post(form[1], {"name": "Sofia", "password": PASSWORD})
    assert EmailAddress.objects.get(email="sofia@acme.test").verified == mailed


def test_the_link_opens_the_message_too(owner: Actor) -> None:
    page = Client().get(link(invite(owner, message="<Hello>\nstart here"))).content.decode()
    assert "&lt;Hello&gt;<br>start here" in page


def test_the_page_is_the_same_whether_or_not_the_address_has_an_account(owner: Actor) -> None:
    invitation = invite(owner)

    def seen() -> str:
        text = Client().get(link(invitation)).content.decode()
        return "\n".join(line for line in text.splitlines() if "csrf" not in line.lower())

    before = seen()
    user = UserFactory.create(email="sofia@acme.test")
    assert seen() == before
    refused = Client().post(link(invitation), {"name": "Mallory", "password": "another password 1"})
    assert "Sign in and join" in refused.content.decode()
    assert not owner.workspace.memberships.filter(user=user).exists()
    response = signed_in(user).post(link(invitation))
    assert response["Location"] == reverse("studio", args=[owner.workspace.slug])


def test_whoever_is_signed_in_as_somebody_else_has_to_sign_out(owner: Actor) -> None:
    invitation = invite(owner)
    other = signed_in(UserFactory.create())
    page = other.get(link(invitation)).content.decode()
    assert "You are signed in as" in page
    assert other.post(link(invitation)).status_code == 403
    assert Membership.objects.count() == 1


def test_each_end_of_an_invitation_has_its_words(owner: Actor) -> None:
    ended = invite(owner)
    Invitation.objects.filter(pk=ended.pk).update(expires_at=timezone.now() - timedelta(days=1))
    page = Client().get(link(ended)).content.decode()
    assert "This invitation has ended" in page
    assert f"mailto:{owner.user.email}" in page
    declined = invite(owner, "ben@acme.test")
    token = invitation_links.token(declined)
    response = Client().post(reverse("invitation_decline", args=[token]), follow=True)
    assert "You declined this invitation" in response.content.decode()
    assert "This invitation was revoked" in Client().get(link(declined)).content.decode()
    assert Client().post(link(declined), {"name": "Ben", "password": PASSWORD}).status_code == 200
    assert not User.objects.filter(email="ben@acme.test").exists()
    assert Client().get(reverse("invitation", args=["forged"])).status_code == 404


@pytest.mark.parametrize(
    ("sends_mail", "message"),
    [(True, "sent again."), (False, "works for another 7 days. Copy it, and pass it on.")],
)
def test_sending_again_says_what_became_of_it(
    owner: Actor, client: Client, settings: Any, sends_mail: bool, message: str
) -> None:
    settings.SENDS_MAIL = sends_mail
    row = invite(owner)
    Invitation.objects.update(sent_at=timezone.now() - timedelta(hours=1))
    response = client.post(reverse("invitation_again", args=[owner.workspace.slug, row.pk]), headers=HTMX)
    assert response.content.decode().count(message) == 2  # for the eyes, and for screen readers


def test_attempts_to_join_are_limited_per_invitation_and_per_network(
    owner: Actor, settings: Settings
) -> None:
    rates = settings.ACCOUNT_RATE_LIMITS  # per day instead of per minute: the machine may be slow
    settings.ACCOUNT_RATE_LIMITS = rates | {"invitation": rates["invitation"].replace("/m/", "/d/")}

    def attempt(invitation: Invitation, place: str) -> int:
        fields = {"name": "Sofia", "password": "short"}
        return Client(REMOTE_ADDR=place).post(link(invitation), fields).status_code

    first = invite(owner)
    tries = [attempt(first, f"203.0.113.{number}") for number in range(11)]
    assert tries == [200] * 10 + [429]
    others = [invite(owner, f"person{number}@acme.test") for number in range(4)]
    tries = [attempt(others[number // 10], f"2001:db8:1:2::{number:x}") for number in range(31)]
    assert tries == [200] * 30 + [429]
    assert attempt(others[3], "2001:db8:1:3::1") == 200
