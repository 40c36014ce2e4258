"""Sign-ins, failed ones and sign-outs in the audit log, and mails about unknown browsers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.models import AuditEntry, Workspace
from editor.web import sign_in_signals
from tests.factories import PASSWORD, UserFactory, make_member, make_workspace

pytestmark = pytest.mark.django_db

LOGIN = reverse("account_login")
EMAIL = "amara@example.test"


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.SENDS_MAIL = True


@pytest.fixture
def workspace() -> Workspace:
    return make_workspace(owner=UserFactory.create(email=EMAIL))


def sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL, **extra: Any) -> Client:
    client.post(LOGIN, {"login": email, "password": password}, **extra)
    return client


def recorded(action: str) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=f"account.{action}").order_by("id"))


def mailed() -> list[dict[str, Any]]:
    return [row["details"] for row in ProcrastinateJob.objects.order_by("id").values_list("args", flat=True)]


def test_a_sign_in_and_sign_out_are_recorded_in_each_workspace_of_the_person(workspace: Workspace) -> None:
    user = workspace.members.get()
    other = make_workspace(owner=user)
    deleted = make_workspace(owner=user)
    Workspace.objects.filter(pk=deleted.pk).update(deleted_at=timezone.now())
    make_workspace()
    client = sign_in(Client(REMOTE_ADDR="203.0.113.9"))
    client.post(reverse("account_logout"))
    for action in ("signed_in", "signed_out"):
        entries = recorded(action)
        assert {entry.workspace for entry in entries} == {workspace, other}
        assert {(entry.actor, entry.actor_kind, entry.ip) for entry in entries} == {
            (user, "member", "203.0.113.9")
        }


def test_without_a_workspace_it_is_recorded_once() -> None:
    UserFactory.create(email=EMAIL)
    sign_in(Client())
    assert [entry.workspace for entry in recorded("signed_in")] == [None]


def test_a_failed_sign_in_is_recorded_where_the_address_is_a_member(workspace: Workspace) -> None:
    sign_in(Client(REMOTE_ADDR="2001:db8::7"), "wrong")
    sign_in(Client(), "wrong", "nobody@example.test")
    known, unknown = recorded("sign_in_failed")
    assert (known.workspace, known.target, known.actor, known.actor_kind, known.ip) == (
        workspace,
        EMAIL,
        None,
        "visitor",
        "2001:db8::7",
    )
    assert (unknown.workspace, unknown.target) == (None, "nobody@example.test")
    assert "wrong" not in str(AuditEntry.objects.values())


def test_known_and_unknown_addresses_take_as_many_queries(workspace: Workspace) -> None:
    make_workspace(owner=workspace.members.get())

    def count(email: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            sign_in(Client(), "wrong", email)
        return len(queries)

    assert count(EMAIL) == count("nobody@example.test")


def test_one_network_writes_a_bounded_number_of_failures(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_signals, "RECORDED", {"network": "3/h/ip", "all": "5/h/key"})
    for number in range(6):
        sign_in(Client(REMOTE_ADDR="203.0.113.9"), "wrong", f"a{number}@example.test")
    assert len(recorded("sign_in_failed")) == 3
    for number in range(6):
        sign_in(Client(REMOTE_ADDR=f"198.51.100.{number}"), "wrong", f"b{number}@example.test")
    assert len(recorded("sign_in_failed")) == 5


def test_only_an_unknown_browser_causes_a_mail_and_not_the_first_one(workspace: Workspace) -> None:
    browser = sign_in(Client())
    assert mailed() == []
    browser.post(reverse("account_logout"))
    sign_in(browser)
    assert mailed() == []
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    sign_in(Client(REMOTE_ADDR="203.0.113.9"), headers={"User-Agent": agent})
    (details,) = mailed()
    assert (details["device"], details["address"]) == ("Firefox on Linux", "203.0.113.9")
    assert datetime.fromisoformat(details["at"]) <= timezone.now()


def test_a_wrong_password_causes_no_mail(workspace: Workspace) -> None:
    sign_in(Client())
    sign_in(Client(), "wrong")
    assert mailed() == []


def test_somebody_elses_entries_are_not_ones_first_sign_in(workspace: Workspace) -> None:
    member = make_member(workspace)
    sign_in(Client())
    sign_in(Client(), email=member.email)
    assert mailed() == []
    assert {entry.actor for entry in recorded("signed_in")} == {member, workspace.members.get(email=EMAIL)}
