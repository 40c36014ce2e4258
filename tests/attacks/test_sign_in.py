"""Attacks on sign-in: a stolen security key, a prepared account, a stolen session, the admin's own pages."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from allauth.account.internal.stagekit import LOGIN_SESSION_KEY
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal import ratelimit
from allauth.socialaccount.providers.base import AuthProcess
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from editor.access import invitation_links, proofs
from editor.models import AuditEntry, Invitation, Role, User
from editor.operations import invitations, joining, people, sessions, workspaces
from editor.queries import accounts
from editor.web import sign_in_signals
from editor.web.oidc import ProviderAdapter
from tests.factories import PASSWORD, UserFactory, make_actor, make_member, make_workspace
from tests.web.factors import add_app
from tests.web.passkeys import Passkey
from tests.web.requests import body, signed_in

pytestmark = pytest.mark.django_db

LOGIN, CODE, ACCOUNT = reverse("account_login"), reverse("mfa_authenticate"), reverse("account")


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def by_password(user: User) -> Client:
    client = Client()
    client.post(LOGIN, {"login": user.email, "password": PASSWORD})
    return client


def reauthenticated(user: User) -> Client:
    client = by_password(user)
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def options(client: Client, purpose: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(reverse("passkey_options", args=[purpose])).json()["get"]
    return found


# --- A stolen security key, without its PIN --------------------------------------------------


def test_a_verified_passkey_signs_in() -> None:
    key, client = Passkey(make_member(make_workspace())), Client()
    signed = key.sign(options(client, "sign-in"), verified=True)
    client.post(reverse("mfa_login_webauthn"), {"credential": signed})
    assert is_signed_in(client)


@pytest.mark.parametrize("purpose", ["sign-in", "confirm"])
def test_a_key_without_its_pin_does_not_sign_in_alone(purpose: str) -> None:
    """The attacker has a challenge made for the second factor of an account of their own, and waits until
    the portal has forgotten that sign-in, but not the challenge."""
    key, attacker = Passkey(make_member(make_workspace())), make_member(make_workspace())
    add_app(attacker)
    client = by_password(attacker)
    assert not is_signed_in(client)
    signed = key.sign(options(client, purpose), verified=False)
    session = client.session
    session[LOGIN_SESSION_KEY]["initiated_at"] -= 3600
    session.save()
    client.post(reverse("mfa_login_webauthn"), {"credential": signed})
    assert not is_signed_in(client)


# --- An account that somebody else prepared ------------------------------------------------------


def invited(email: str) -> Invitation:
    [one] = invitations.invite(actor=make_actor(), emails=[email], role=Role.EDITOR)
    assert one.invitation
    return one.invitation


def prepared(settings: Settings) -> User:
    """An account with the victim's address, made by whoever invited them to a workspace of their own."""
    settings.SENDS_MAIL, settings.MFA_ALLOW_UNVERIFIED_EMAIL = True, False
    opened = invitation_links.read(invitation_links.token(invited("victim@acme.test")))
    return joining.sign_up(opened=opened, name="Victim", password=PASSWORD)[0]


@pytest.mark.parametrize("page", ["mfa_activate_totp", "mfa_add_webauthn"])
def test_no_factor_can_be_left_in_an_account_whose_address_is_not_confirmed(
    settings: Settings, page: str
) -> None:
    """The owner of the address resets the password, and the attacker's passkey would still sign in."""
    user = prepared(settings)
    client = reauthenticated(user)
    assert client.get(reverse(page))["Location"] == reverse("mfa_index")
    assert "confirm" in body(client.get(reverse("mfa_index"))).lower()
    people.confirm_email(user=user, email=user.email)
    assert client.get(reverse(page)).status_code == 200


def test_no_identity_can_be_connected_to_it_either(settings: Settings) -> None:
    user = prepared(settings)
    request = RequestFactory().get("/")
    request.user = user
    provider = SimpleNamespace(app=SimpleNamespace(name="Acme SSO"))
    login = SimpleNamespace(state={"process": AuthProcess.CONNECT}, provider=provider)
    adapter = ProviderAdapter(request)
    with pytest.raises(ImmediateHttpResponse) as refused:
        adapter.pre_social_login(request, login)
    assert "Confirm your email" in refused.value.response.content.decode()
    people.confirm_email(user=user, email=user.email)
    adapter.pre_social_login(request, login)


def test_without_a_mail_server_a_factor_can_be_added(settings: Settings) -> None:
    user = prepared(settings)
    settings.SENDS_MAIL, settings.MFA_ALLOW_UNVERIFIED_EMAIL = False, True
    assert reauthenticated(user).get(reverse("mfa_activate_totp")).status_code == 200


def test_the_mailed_link_of_an_invitation_confirms_the_address(settings: Settings) -> None:
    settings.SENDS_MAIL = True
    token = invitation_links.token(invited("sofia@acme.test"), mailed=True)
    client = Client()
    page = body(client.get(reverse("invitation", args=[token])))
    action = re.search(r'<form class="stack" method="post" action="([^"]+)"', page)
    assert action
    client.post(action[1], {"name": "Sofia", "password": PASSWORD})
    assert accounts.is_confirmed(User.objects.get(email="sofia@acme.test"))


@pytest.mark.parametrize("name", ["Sofia", ""])
def test_a_link_to_somebodys_address_does_not_tell_whether_they_have_an_account(name: str) -> None:
    """Whoever invites can use the copied link with a password that is refused, as often as they like."""
    pages, emails = [], ["sofia1@acme.test", "sofia2@acme.test"]
    UserFactory.create(email=emails[0])
    for one in invitations.invite(actor=make_actor(), emails=emails, role=Role.EDITOR):
        assert one.invitation
        token = invitation_links.token(one.invitation)
        page = body(Client().post(reverse("invitation", args=[token]), {"name": name, "password": "qq"}))
        pages.append(page.replace(token, "…").replace(quote(token), "…").replace(one.email, "…"))
    assert pages[0] == pages[1]


# --- A stolen session ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "field"), [("account_reauthenticate", "password"), ("mfa_reauthenticate", "code")]
)
def test_a_stolen_session_guesses_slowly(monkeypatch: pytest.MonkeyPatch, page: str, field: str) -> None:
    user = make_member(make_workspace())
    add_app(user)
    client, now, answers = signed_in(user), time.time(), []
    for number in range(40):
        at = now + number * 61.0
        clock = SimpleNamespace(time=lambda at=at: at, monotonic=time.monotonic, sleep=time.sleep)
        monkeypatch.setattr(ratelimit, "time", clock)
        answers.append(client.post(reverse(page), {field: "123456"}).status_code)
    assert 429 in answers
    assert answers.count(200) <= 30


def test_the_admin_has_no_other_page_to_change_the_password(client: Client) -> None:
    """There, guesses of the old one have no limit, and the change no mail and no entry in the log."""
    client.force_login(UserFactory.create(is_staff=True, is_superuser=True))
    change = reverse("admin:password_change")
    assert client.get(change)["Location"] == reverse("account_change_password")
    fields = {"old_password": PASSWORD, "new_password1": "staple battery horse"}
    client.post(change, {**fields, "new_password2": fields["new_password1"]})
    assert User.objects.get(is_staff=True).check_password(PASSWORD)


# --- Sign-ups ----------------------------------------------------------------------------------------


def test_nobody_claims_an_address_of_the_domain_without_its_mail(settings: Settings) -> None:
    settings.SIGNUP, settings.SIGNUP_DOMAINS, settings.SENDS_MAIL = "domains", ["acme.test"], False
    UserFactory.create()
    page = Client().post(reverse("account_signup"), {"email": "boss@acme.test", "password1": PASSWORD})
    assert page.status_code == 200
    assert not User.objects.filter(email="boss@acme.test").exists()
    assert reverse("account_signup") not in body(Client().get(LOGIN))


def test_a_long_name_gets_a_workspace_too() -> None:
    made = workspaces.create_for_sign_up(owner=UserFactory.create(name="N" * 120))
    assert len(made.name) <= 120
    made = workspaces.create_for_sign_up(owner=UserFactory.create(name="", email=f"{'n' * 64}@acme.test"))
    assert made.name.endswith("'s workspace")


# --- The log -------------------------------------------------------------------------------------------


def test_wrong_codes_are_recorded_though_strangers_fill_the_log(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever gets as far as the code knows the password."""
    monkeypatch.setitem(sign_in_signals.RECORDED, "all", "1/h/key")
    Client(REMOTE_ADDR="198.51.100.1").post(LOGIN, {"login": "x@y.test", "password": "wrong"})
    user = make_member(make_workspace())
    add_app(user)
    by_password(user).post(CODE, {"code": "000000"})
    assert AuditEntry.objects.filter(action="account.sign_in_failed", target=user.email).exists()


# --- Sessions of strangers ---------------------------------------------------------------------------


def test_sessions_that_strangers_begin_do_not_stay_forever() -> None:
    user = make_member(make_workspace())
    stranger, gone, here = Client(), by_password(user), by_password(user)
    options(stranger, "sign-in")
    expired = [stranger.session.session_key, gone.session.session_key]
    Session.objects.filter(pk__in=expired).update(expire_date=timezone.now() - timedelta(seconds=1))
    assert sessions.forget() == 2
    assert not Session.objects.filter(pk__in=expired).exists()
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [here.session.session_key]
    assert sessions.forget() == 0


# --- Odd passkeys ------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[" * 5_000, '{"a":' * 5_000, "[]", "1", "null", '{"response": []}'])
def test_a_passkey_that_is_none_is_refused_without_an_error(text: str) -> None:
    client = Client()
    options(client, "sign-in")
    assert client.post(reverse("mfa_login_webauthn"), {"credential": text}).status_code == 302
    user = make_member(make_workspace())
    add_app(user)
    assert by_password(user).post(CODE, {"credential": text}).status_code == 200
    user = make_member(make_workspace())
    client = reauthenticated(user)
    client.get(reverse("passkey_options", args=["add"]))
    assert client.post(reverse("mfa_add_webauthn"), {"credential": text}).status_code == 200


def test_a_first_passkey_that_is_none_is_refused_without_an_error(settings: Settings) -> None:
    settings.SIGNUP, settings.SENDS_MAIL = "open", True
    UserFactory.create()
    path = reverse("sign_up_finish", args=[proofs.of_address("new@acme.test")])
    assert Client().post(path, {"credential": "[" * 9_000}).status_code == 200
    assert not User.objects.filter(email="new@acme.test").exists()
