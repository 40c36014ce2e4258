"""Low balances, and budgets and limits that are reached: each is announced once, to whom it concerns."""

from __future__ import annotations

from typing import Any

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob
from pytest_django import Settings

from editor.access.actor import Actor
from editor.contexts import mails
from editor.models import CreditAccount, Job, Membership, Notice, Role, User, WebhookDelivery, Workspace
from editor.operations import alerts
from editor.operations.mails import Kind
from editor.operations.webhooks import endpoints
from tests.factories import make_actor, make_member, make_workspace
from tests.operations.months import Clock, clock, end, start

__all__ = ["clock"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(clock: Clock, settings: Settings) -> Actor:
    settings.SENDS_MAIL, settings.BASE_URL = True, "https://images.example.com"
    actor = make_actor(make_workspace(balance=1000))
    endpoints.create(
        actor=actor,
        url="https://hooks.example/",
        events=["credits.low", "budget.reached"],
        origin="https://portal.example",
    )
    return actor


def spend(workspace: Workspace, price: int, *, user: User | None = None, **fields: Any) -> None:
    job = start(Workspace.objects.get(pk=workspace.pk), price)
    Job.objects.filter(pk=job.pk).update(created_by=user, **fields)
    end(Job.objects.get(pk=job.pk), price)


def mailed() -> list[tuple[str, str]]:
    rows = ProcrastinateJob.objects.filter(task_name__contains="mail").order_by("id")
    return [(args["kind"], args["email"]) for args in rows.values_list("args", flat=True)]


def sent() -> list[dict[str, Any]]:
    rows = WebhookDelivery.objects.order_by("created_at").values_list("event", "data")
    return [{"event": event} | {key: data[key] for key in data if key != "at"} for event, data in rows]


def texts(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("created_at").values_list("text", flat=True))


def test_a_low_balance_is_announced_to_owners_and_admins(owner: Actor) -> None:
    workspace = owner.workspace
    admin, editor = make_member(workspace, role=Role.ADMIN), make_member(workspace, role=Role.EDITOR)
    spend(workspace, 951)
    assert texts(owner.user) == texts(admin) == ["Acme Studio has 49 credits left."]
    assert texts(editor) == []
    assert mailed() == [("credits_low", owner.user.email)]
    assert sent() == [{"event": "credits.low", "balance": 49, "low_mark": 50}]
    args = ProcrastinateJob.objects.get(task_name__contains="mail").args
    mail = mails.build(**{**args, "kind": Kind.CREDITS_LOW})
    assert mail is not None
    assert mail.subject == "Acme Studio is running low on credits"
    assert "has 49 credits left" in mail.body
    assert f"https://images.example.com/w/{workspace.slug}/credits/" in mail.body


def test_people_hear_of_it_once_a_day_and_programs_each_time(owner: Actor, clock: Clock) -> None:
    def fall() -> None:
        job = start(owner.workspace, 960)
        end(job, None)

    fall()
    fall()
    assert (len(mailed()), len(texts(owner.user)), len(sent())) == (1, 1, 2)
    clock.at(11, 16)
    fall()
    assert (len(mailed()), len(texts(owner.user)), len(sent())) == (2, 2, 3)


def test_each_part_of_the_budget_is_announced_once_a_month(owner: Actor, clock: Clock) -> None:
    workspace = owner.workspace
    Workspace.objects.filter(pk=workspace.pk).update(monthly_limit=100)
    for price in (49, 1, 29, 1, 19, 1):
        spend(workspace, price)
    assert [event["percent"] for event in sent()] == [50, 80, 100]
    assert sent()[1] == {
        "event": "budget.reached",
        "percent": 80,
        "budget": 100,
        "spent": 80,
        "month": "2026-11",
    }
    assert texts(owner.user)[1] == "Acme Studio has spent 80 % of its budget for November: 80 of 100 credits."
    assert mailed() == [("budget_reached", owner.user.email)] * 3
    clock.at(12)
    spend(workspace, 50)
    assert sent()[-1] == {
        "event": "budget.reached",
        "percent": 50,
        "budget": 100,
        "spent": 50,
        "month": "2026-12",
    }


def test_an_edit_that_passes_several_parts_announces_the_largest(owner: Actor) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(monthly_limit=100)
    spend(owner.workspace, 90)
    assert [event["percent"] for event in sent()] == [80]


def test_a_budget_that_is_raised_and_lowered_repeats_nothing(owner: Actor) -> None:
    rows = Workspace.objects.filter(pk=owner.workspace.pk)
    for budget in (100, 1000, 100, 60):
        rows.update(monthly_limit=budget)
        spend(owner.workspace, 15 if budget > 100 else 40)
    assert [event["percent"] for event in sent()] == [80, 100]


def test_what_returns_is_not_spent(owner: Actor) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(monthly_limit=100)
    end(start(Workspace.objects.get(pk=owner.workspace.pk), 100), None)
    end(start(Workspace.objects.get(pk=owner.workspace.pk), 100), 10)
    assert sent() == []


def test_an_edit_of_last_month_announces_nothing_after_this_months(owner: Actor, clock: Clock) -> None:
    Workspace.objects.filter(pk=owner.workspace.pk).update(monthly_limit=100)
    late = start(Workspace.objects.get(pk=owner.workspace.pk), 90)
    clock.at(12)
    spend(owner.workspace, 50)
    end(late, 90)
    assert [event["month"] for event in sent()] == ["2026-12"]
    assert CreditAccount.objects.get(pk=owner.workspace.pk).budget_percent == 50


def test_a_member_hears_that_their_limit_is_reached(owner: Actor) -> None:
    workspace = owner.workspace
    editor = make_member(workspace, role=Role.EDITOR, monthly_cap=30)
    spend(workspace, 29, user=editor)
    spend(workspace, 500, user=editor, approved=True)  # does not count
    assert texts(editor) == []
    spend(workspace, 1, user=editor)
    Membership.objects.filter(user=editor).update(monthly_cap=31)
    spend(workspace, 1, user=editor)
    assert texts(editor) == [
        "You have spent your 30 credits a month in Acme Studio. The limit resets on 1 December."
    ]
    assert texts(owner.user) == []


def test_an_edit_without_cost_or_person_reads_nothing(owner: Actor, django_assert_num_queries: Any) -> None:
    job = start(owner.workspace, 0)
    account = CreditAccount.objects.select_related("workspace").get(pk=owner.workspace.pk)
    with django_assert_num_queries(0):
        alerts.spent(account=account, job=job, cost=0)
        alerts.spent(account=account, job=job, cost=5)
