"""An email address with its domain in Unicode and the one with it in ASCII are the same."""

from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from editor.access import invitation_links
from editor.errors import Conflict
from editor.mail_addresses import normalized
from editor.models import Role, User
from editor.operations import invitations, joining, people, workspaces
from tests.factories import PASSWORD, UserFactory, make_actor, make_member
from tests.web.requests import by_password, is_signed_in

UNICODE, ASCII = "Mei@Bücher.example", "mei@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (UNICODE, ASCII),
        (ASCII.upper(), ASCII),
        (" mei@acme.test\n", "mei@acme.test"),
        ("mei@straße.example", "mei@xn--strae-oqa.example"),  # as browsers write it, not as "strasse"
        ("mei@例え。テスト", "mei@xn--r8jz45g.xn--zckzah"),
        ("zoë@acme.test", "zoë@acme.test"),
        ("nobody", "nobody"),
        ("mei@ü..example", "mei@ü..example"),
        (f"mei@{'ü' * 300}.example", f"mei@{'ü' * 300}.example"),
        ("", ""),
    ],
)
def test_addresses_have_one_form(address: str, expected: str) -> None:
    assert normalized(address) == expected


@pytest.mark.django_db
@pytest.mark.parametrize(("first", "second"), [(UNICODE, ASCII), (ASCII, UNICODE)])
def test_one_address_has_one_account_which_both_forms_sign_in_to(first: str, second: str) -> None:
    user = workspaces.create_user(email=first, password=PASSWORD)
    assert user.email == ASCII
    with pytest.raises(Conflict):
        workspaces.create_user(email=second, password=PASSWORD)
    assert User.objects.get_by_natural_key(second) == user
    client = Client()
    client.post(reverse("account_login"), {"login": second, "password": PASSWORD})
    assert is_signed_in(client)


@pytest.mark.django_db
def test_it_is_invited_once_and_joins_with_the_other_form() -> None:
    owner = make_actor()
    invited = invitations.invite(actor=owner, emails=[UNICODE, ASCII], role=Role.EDITOR)
    assert [one.email for one in invited] == [ASCII]
    [again] = invitations.invite(actor=owner, emails=[UNICODE], role=Role.EDITOR)
    assert "invited already" in again.problem
    assert invited[0].invitation
    user = UserFactory.create(email=UNICODE)
    joining.accept(opened=invitation_links.read(invitation_links.token(invited[0].invitation)), user=user)
    [member] = invitations.invite(actor=owner, emails=[UNICODE], role=Role.EDITOR)
    assert "is a member already" in member.problem


@pytest.mark.django_db
def test_the_page_counts_it_once() -> None:
    owner = make_actor()
    page = by_password(owner.user).post(
        reverse("invite_count", args=[owner.workspace.slug]), {"emails": f"{UNICODE}, {ASCII}"}
    )
    assert "Send 1 invitation" in page.content.decode()


@pytest.mark.django_db
def test_an_account_takes_no_address_of_another_one() -> None:
    user, other = make_member(make_actor().workspace), UserFactory.create(email=ASCII)
    people.request_email(user=user, email=UNICODE, origin="http://testserver")
    assert user.pending_email == other.email
    with pytest.raises(Conflict):
        people.confirm_email(user=user, email=UNICODE)


@pytest.mark.parametrize("email", [UNICODE, ASCII])
def test_its_domain_may_sign_up_in_both_forms(settings: Settings, email: str) -> None:
    settings.SIGNUP, settings.SIGNUP_DOMAINS = "domains", ["xn--bcher-kva.example"]
    assert people.may_sign_up(email)


@pytest.mark.django_db
def test_accounts_of_before_are_found_by_both_forms() -> None:
    migration = import_module("editor.migrations.0032_mail_addresses")
    early, taken, late = (
        UserFactory.create(),
        UserFactory.create(),
        UserFactory.create(email="zoë@xn--bcher-kva.example"),
    )
    User.objects.filter(pk=early.pk).update(email="mei@bücher.example")
    User.objects.filter(pk=taken.pk).update(email="zoë@bücher.example")
    migration.normalize(apps, None)
    emails = dict(User.objects.values_list("pk", "email"))
    assert emails == {early.pk: ASCII, taken.pk: "zoë@bücher.example", late.pk: late.email}
