"""Owners get one report of each month, whatever happens meanwhile."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.contexts import mails
from editor.models import Membership, Role, Status, User, Workspace
from editor.operations import usage_mails
from editor.operations.mails import Kind
from editor.queries import limits
from tests.factories import make_member, make_workspace
from tests.spending import end, spend, start

pytestmark = pytest.mark.django_db

OCTOBER = date(2026, 10, 14)


@pytest.fixture(autouse=True)
def mail_server(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.SENDS_MAIL, settings.BASE_URL = True, "https://images.example.com"
    now_is(monkeypatch, date(2026, 11, 2))


def now_is(monkeypatch: pytest.MonkeyPatch, day: date) -> None:
    """Wherever the workspace is, but in Auckland, where it is the day after."""

    def today(workspace: Workspace) -> date:
        return day + timedelta(days=workspace.time_zone == "Pacific/Auckland")

    monkeypatch.setattr(limits, "today", today)


@pytest.fixture
def workspace() -> Workspace:
    workspace = make_workspace(balance=100)
    User.objects.filter(memberships__workspace=workspace).update(name="Amara Okafor")
    return workspace


def sent() -> list[dict[str, Any]]:
    """The reports, without mails of low balances and the like."""
    mails = ProcrastinateJob.objects.filter(args__kind=Kind.USAGE).order_by("id")
    return list(mails.values_list("args", flat=True))


def written(args: dict[str, Any]) -> EmailMultiAlternatives | None:
    return mails.build(**{**args, "kind": Kind(args["kind"])})


def test_who_spent_what_with_which_models_and_what_came_back(
    workspace: Workspace, settings: Settings
) -> None:
    settings.CREDIT_PRICE = Decimal("0.04")
    owner = workspace.members.get()
    mei = make_member(workspace)
    User.objects.filter(pk=mei.pk).update(name="Mei\nTanaka")
    spend(workspace, owner, on=OCTOBER)
    spend(workspace, mei, on=OCTOBER, model="black-forest-labs/flux-2-pro", price=5)
    end(start(workspace, mei, spent_on=OCTOBER), Status.FAILED)
    spend(workspace, owner, on=date(2026, 11, 1), price=90)
    assert usage_mails.mail_monthly() == 1
    [args] = sent()
    assert args["email"] == owner.email
    mail = written(args)
    assert mail
    assert mail.subject == "Acme Studio in October 2026: 9 credits"
    text = str(mail.body)
    assert "spent 9 credits (about $0.36) on 2 edits." in text
    assert "4 credits came back" in text
    assert "1 edit had none" in text
    assert "By person:\nMei Tanaka: 5 credits, 1 edit\nAmara Okafor: 4 credits, 1 edit\n" in text
    assert "FLUX.2 [pro]: 5 credits, 1 edit\nFLUX.1 Kontext [pro]: 4 credits, 1 edit" in text
    assert "https://images.example.com/w/acme-studio/credits/?month=2026-10" in text
    html = str(mail.alternatives[0][0])
    assert "Mei Tanaka: 5 credits, 1 edit<br>Amara Okafor" in html
    assert "Open Credits &amp; usage" in html


def test_each_month_is_reported_once(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = workspace.members.get()
    spend(workspace, owner, on=OCTOBER)
    spend(workspace, owner, on=date(2026, 11, 30))
    assert [usage_mails.mail_monthly() for _ in range(3)] == [1, 0, 0]
    now_is(monkeypatch, date(2026, 10, 31))  # the clock was wrong
    assert usage_mails.mail_monthly() == 0
    now_is(monkeypatch, date(2026, 12, 1))
    assert [usage_mails.mail_monthly() for _ in range(2)] == [1, 0]
    assert [args["details"]["month"] for args in sent()] == ["October 2026", "November 2026"]


def test_if_it_fails_nothing_is_marked_or_mailed(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    spend(workspace, workspace.members.get(), on=OCTOBER)
    with monkeypatch.context() as broken, pytest.raises(RuntimeError), transaction.atomic():
        broken.setattr(Workspace, "save", lambda *args, **kwargs: (_ for _ in ()).throw(RuntimeError))
        usage_mails.mail_monthly()
    assert sent() == []
    assert usage_mails.mail_monthly() == 1


def test_a_month_ends_at_the_workspaces_midnight(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    auckland = make_workspace(name="Auckland", balance=100)
    Workspace.objects.filter(pk=auckland.pk).update(time_zone="Pacific/Auckland", usage_mailed=None)
    for one in (workspace, auckland):
        spend(one, one.members.get(), on=date(2026, 11, 5))
        Workspace.objects.filter(pk=one.pk).update(usage_mailed=date(2026, 10, 1))
    now_is(monkeypatch, date(2026, 11, 30))
    assert usage_mails.mail_monthly() == 1
    assert [args["details"]["workspace"] for args in sent()] == ["Auckland"]


def test_who_gets_none(workspace: Workspace, settings: Settings) -> None:
    owner = workspace.members.get()
    spend(workspace, owner, on=OCTOBER)
    settings.SENDS_MAIL = False
    assert usage_mails.mail_monthly() == 0
    settings.SENDS_MAIL = True
    Workspace.objects.update(usage_mail=False)
    assert usage_mails.mail_monthly() == 0
    Workspace.objects.update(usage_mail=True)
    make_member(workspace, role=Role.ADMIN)
    make_workspace(name="Idle")
    usage_mails.mail_monthly()
    [args] = sent()
    assert args["email"] == owner.email
    Membership.objects.filter(user=owner).update(role=Role.ADMIN)
    assert written(args) is None


def test_many_people_and_models_are_summed_up(workspace: Workspace) -> None:
    for _ in range(12):
        spend(workspace, make_member(workspace), on=OCTOBER)
    usage_mails.mail_monthly()
    [args] = sent()
    assert args["details"]["people"].splitlines()[-1] == "2 others: 8 credits, 2 edits"
