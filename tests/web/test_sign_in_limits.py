"""Guessing passwords is slow, and strangers cannot lock an owner out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from django.contrib.auth.hashers import BasePasswordHasher, get_hasher
from django.test import Client
from django.urls import reverse

from editor.contexts import mails
from editor.models import User
from editor.operations.mails import Kind
from editor.web import sign_in_limits
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db

LOGIN, LOGOUT = reverse("account_login"), reverse("account_logout")
EMAIL = "amara@example.test"
HOME = "198.51.100.7"


@pytest.fixture(autouse=True)
def owner() -> User:
    return UserFactory.create(email=EMAIL)


def addresses() -> Iterator[str]:
    return (f"203.0.{number // 250}.{number % 250 + 1}" for number in count())


def sign_in(
    client: Client, password: str = PASSWORD, *, at: str = HOME, email: str = EMAIL, host: str = "testserver"
) -> str:
    """The outcome: in, wrong or refused."""
    answer = client.post(
        LOGIN, {"login": email, "password": password}, REMOTE_ADDR=at, headers={"host": host}
    )
    if answer.status_code == 302:
        return "in"
    return "refused" if "Too many failed attempts" in answer.content.decode() else "wrong"


def guess(times: int, *, at: str, email: str = EMAIL) -> list[str]:
    return [sign_in(Client(), f"guess {number}", at=at, email=email) for number in range(times)]


def flood(failures: int) -> None:
    """Cause `failures` failed attempts from different networks, five from each."""
    for address, _ in zip(addresses(), range(failures // 5), strict=False):
        assert guess(5, at=address) == ["wrong"] * 5


def test_a_stranger_is_slowed_down_and_the_owner_gets_in_from_elsewhere() -> None:
    assert guess(6, at="203.0.113.9") == ["wrong"] * 5 + ["refused"]
    assert sign_in(Client(), at="203.0.113.9") == "refused"
    assert sign_in(Client()) == "in"


@pytest.mark.parametrize("host", ["localhost", "localhost:4444", "localhost.", "127.0.0.1"])
def test_another_host_name_gives_no_more_attempts(host: str) -> None:
    guess(5, at=HOME)
    assert sign_in(Client(), "guess", host=host) == "refused"


def test_an_ipv6_network_counts_as_one() -> None:
    tries = [sign_in(Client(), "guess", at=f"2001:db8:1:2::{number:x}") for number in range(6)]
    assert tries == ["wrong"] * 5 + ["refused"]
    assert sign_in(Client(), at="2001:db8:1:3::1") == "in"


def test_ipv4_clients_of_a_dual_stack_socket_are_counted_separately() -> None:
    assert guess(6, at="::ffff:203.0.113.9")[-1] == "refused"
    assert sign_in(Client(), at="203.0.113.9") == "refused"
    assert sign_in(Client(), at="::ffff:203.0.113.10") == "in"


def test_trying_many_addresses_from_one_network_is_limited() -> None:
    tries = [guess(1, at="203.0.113.9", email=f"p{number}@example.test")[0] for number in range(21)]
    assert tries == ["wrong"] * 20 + ["refused"]


def test_right_passwords_do_not_count() -> None:
    assert {sign_in(Client()) for _ in range(25)} == {"in"}


def test_an_unknown_address_is_refused_like_a_known_one() -> None:
    assert guess(6, at="203.0.113.9", email="nobody@example.test") == ["wrong"] * 5 + ["refused"]


def test_a_wrong_password_costs_as_much_work_for_every_address(
    owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = UserFactory.create(email="off@example.test", is_active=False)
    passkey_only = UserFactory.create(email="passkey@example.test")
    passkey_only.set_unusable_password()
    passkey_only.save()
    hasher = type(get_hasher())
    encode, done = hasher.encode, []

    def counted(self: BasePasswordHasher, password: str, salt: str, *args: Any) -> str:
        done.append(password)
        return encode(self, password, salt, *args)

    monkeypatch.setattr(hasher, "encode", counted)
    work = {}
    for email in (EMAIL, off.email, passkey_only.email, "nobody@example.test"):
        assert sign_in(Client(), "a guess", email=email) == "wrong"
        work[email] = len(done)
        done.clear()
    assert set(work.values()) == {1}, work


@pytest.fixture
def low_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sign_in_limits.RATES, "elsewhere", "20/h/key")


def test_many_networks_together_are_limited(low_ceiling: None) -> None:
    flood(20)
    assert guess(1, at="192.0.2.1") == ["refused"]
    assert guess(1, at="192.0.2.1", email="other@example.test") == ["wrong"]


def test_a_known_browser_can_sign_in_meanwhile(low_ceiling: None) -> None:
    known = Client()
    assert sign_in(known, at="192.0.2.1") == "in"
    known.post(LOGOUT)
    flood(20)
    assert sign_in(known, at="192.0.2.99") == "in"
    assert sign_in(Client(), at="192.0.2.98") == "refused"


def test_a_known_network_can_sign_in_meanwhile(low_ceiling: None) -> None:
    sign_in(Client())
    flood(20)
    assert sign_in(Client()) == "in"


def test_others_in_the_owners_network_do_not_lock_the_owners_browser_out() -> None:
    known = Client()
    sign_in(known)
    known.post(LOGOUT)
    guess(6, at=HOME)
    for number in range(20):
        guess(1, at=HOME, email=f"p{number}@example.test")
    assert sign_in(Client()) == "refused"
    assert sign_in(known) == "in"


def test_a_known_browser_is_limited_too_and_only_known_for_its_user() -> None:
    UserFactory.create(email="other@example.test")
    known = Client()
    sign_in(known)
    known.post(LOGOUT)
    tries = [sign_in(known, f"guess {number}") for number in range(11)]
    assert tries == ["wrong"] * 10 + ["refused"]
    others = [sign_in(known, f"guess {number}", email="other@example.test") for number in range(6)]
    assert others == ["wrong"] * 5 + ["refused"]


def test_a_forged_cookie_is_ignored() -> None:
    forged = Client()
    sign_in(forged)
    (name,) = [name for name in forged.cookies if name.startswith("known_")]
    guess(5, at=HOME)
    stranger = Client()
    stranger.cookies[name] = forged.cookies[name].value[:-3] + "abc"
    assert sign_in(stranger) == "refused"
    assert forged.cookies[name]["httponly"] and forged.cookies[name]["samesite"] == "Lax"


def test_a_user_who_reset_the_password_can_sign_in_meanwhile(low_ceiling: None) -> None:
    flood(20)
    assert guess(1, at=HOME) == ["refused"]
    mail = mails.build(kind=Kind.RESET, email=EMAIL, origin="http://testserver")
    assert mail is not None
    (path,) = [word for word in mail.body.split() if "/key/" in word]
    client = Client(REMOTE_ADDR=HOME)
    form = client.get(path.removeprefix("http://testserver"))["Location"]
    client.post(form, {"password1": "staple battery horse", "password2": "staple battery horse"})
    assert sign_in(client, "staple battery horse") == "in"
