"""Monthly credits come once a month, whatever happens, and no granted credits end with them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction

from editor.models import CreditAccount, LedgerEntry, Plan, WebhookDelivery
from editor.operations import allowances, credits, transfers
from editor.operations.webhooks import endpoints
from editor.queries.limits import today
from tests.factories import make_actor
from tests.operations.months import (
    ALLOW,
    UP_TO_30,
    Clock,
    Kind,
    balance,
    clock,
    end,
    make,
    move_to,
    moves,
    plan,
    spend,
    start,
)

__all__ = ["clock"]

pytestmark = pytest.mark.django_db


# --- When they come ----------------------------------------------------------------------


def test_a_new_workspace_has_those_of_the_month_at_once(clock: Clock) -> None:
    workspace = make(plan(100))
    entry = LedgerEntry.objects.get(account=workspace.pk)
    assert (entry.kind, entry.amount, entry.period) == ("allowance", 100, today(workspace).replace(day=1))
    assert allowances.renew_due() == 0


def test_they_come_when_a_month_begins_in_the_workspaces_zone(clock: Clock) -> None:
    here, east, west = (
        make(plan(100), time_zone=zone) for zone in ("UTC", "Pacific/Auckland", "America/Los_Angeles")
    )
    for hour, entries in ((10, 1), (12, 3)):
        clock.at(11, 30, hour)
        allowances.renew_due()
        assert [len(moves(one)) for one in (here, east, west)] == [1, entries, 1]
    clock.at(12, 1, 0)
    allowances.renew_due()
    assert [len(moves(one)) for one in (here, east, west)] == [3, 3, 1]
    clock.at(12, 1, 8)
    assert allowances.renew_due() == 1
    assert [balance(one) for one in (here, east, west)] == [100, 100, 100]


def test_months_that_were_missed_give_nothing(clock: Clock) -> None:
    workspace = make(plan(100, **ALLOW))
    clock.at(6, year=2027)
    assert [allowances.renew_due(), allowances.renew_due()] == [1, 0]
    assert moves(workspace) == [("allowance", 100), ("allowance", 100)]


def test_a_clock_that_goes_back_gives_nothing_and_none_comes_twice(clock: Clock) -> None:
    workspace = make(plan(100, **ALLOW))
    for month, year in ((1, 2027), (11, 2026), (12, 2026), (1, 2027), (12, 2026)):
        clock.at(month, year=year)
        allowances.renew_due()
        allowances.renew(workspace_id=workspace.pk)
    assert moves(workspace) == [("allowance", 100), ("allowance", 100)]
    clock.at(2, year=2027)
    allowances.renew_due()
    assert len(moves(workspace)) == 3


def test_a_deleted_workspace_gets_none(clock: Clock) -> None:
    workspace = make(plan(100), deleted_at=clock.now)
    clock.at(12)
    assert allowances.renew_due() == 0
    assert not allowances.renew(workspace_id=workspace.pk)
    assert len(moves(workspace)) == 1


def test_many_workspaces_take_several_calls(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "AT_ONCE", 2)
    of = plan(100)
    for _ in range(3):
        make(of)
    clock.at(12)
    assert [allowances.renew_due() for _ in range(3)] == [2, 1, 0]


def test_one_that_fails_delays_no_others(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    of = plan(100)
    first, second = sorted((make(of), make(of)), key=lambda row: row.pk)
    clock.at(12)
    renew = allowances.renew

    def failing(*, workspace_id: Any) -> bool:
        if workspace_id == first.pk:
            raise RuntimeError("a broken row")
        return renew(workspace_id=workspace_id)

    monkeypatch.setattr(allowances, "renew", failing)
    assert allowances.renew_due() == 1
    assert "a broken row" in caplog.text
    assert [len(moves(one)) for one in (first, second)] == [1, 3]


def test_only_workspaces_whose_month_began_are_read(clock: Clock, django_assert_num_queries: Any) -> None:
    of = plan(100)
    for _ in range(12):
        make(of)
    with django_assert_num_queries(2):
        assert allowances.renew_due() == 0


# --- What is left of them ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("rollover", "spent", "expected"),
    [
        ({}, 0, 150),
        ({}, 40, 150),
        ({}, 120, 130),
        (UP_TO_30, 0, 180),
        (UP_TO_30, 80, 170),
        (ALLOW, 0, 250),
        (ALLOW, 40, 210),
    ],
)
def test_the_plan_says_how_many_stay(
    clock: Clock, rollover: dict[str, Any], spent: int, expected: int
) -> None:
    """With fifty granted credits, which are spent last and always stay."""
    workspace = make(plan(100, **rollover), balance=50)
    if spent:
        spend(workspace, spent)
    clock.at(12)
    allowances.renew_due()
    assert balance(workspace) == expected


def test_those_that_stay_count_as_monthly_again(clock: Clock) -> None:
    workspace = make(plan(100, **UP_TO_30), balance=7)
    for month in (12, 1, 2):
        clock.at(month, year=2026 if month == 12 else 2027)
        allowances.renew_due()
        assert balance(workspace) == 137


def test_what_is_held_does_not_expire_and_what_returns_of_it_ends_a_month_later(clock: Clock) -> None:
    workspace = make(plan(100))
    running, other = start(workspace, 60), start(workspace, 10)
    clock.at(12)
    allowances.renew_due()
    assert moves(workspace)[1:] == [("expire", -30), ("allowance", 100)]
    end(running, None)
    end(other, 10)
    assert balance(workspace) == 160
    clock.at(1, year=2027)
    allowances.renew_due()
    assert moves(workspace)[3:] == [("expire", -160), ("allowance", 100)]


def test_monthly_credits_that_are_held_when_they_end_cannot_be_transferred(clock: Clock) -> None:
    """Or else holding them over midnight would turn them into credits that stay."""
    workspace = make(plan(100), balance=30)
    running = start(workspace, 120)
    clock.at(12)
    allowances.renew_due()
    for row in (running, None):
        account = CreditAccount.objects.get(workspace=workspace)
        assert transfers.transferable(account) == 30
        if row:
            end(row, None)
    assert balance(workspace) == 230


def test_edits_of_the_new_month_that_come_before_its_credits_count_for_both(clock: Clock) -> None:
    workspace = make(plan(100), balance=50)
    clock.at(12)
    spend(workspace, 20)
    allowances.renew_due()
    assert balance(workspace) == 150
    clock.at(1, year=2027)
    allowances.renew_due()
    assert balance(workspace) == 170


def test_after_a_clock_went_back_granted_credits_stay(clock: Clock) -> None:
    workspace = make(plan(100), balance=500)
    clock.at(1, year=2027)
    allowances.renew_due()
    clock.at(12)
    spend(workspace, 90)  # of a day before the month that has begun
    clock.at(2, year=2027)
    allowances.renew_due()
    assert balance(workspace) == 600


def test_a_correction_of_the_balance_may_leave_less_than_ends(clock: Clock) -> None:
    workspace = make(plan(100))
    credits.adjust(workspace=workspace, amount=-70, actor=None, note="")
    clock.at(12)
    allowances.renew_due()
    assert moves(workspace)[1:] == [("expire", -30), ("allowance", 100)]


# --- Plans -------------------------------------------------------------------------------


def test_a_plan_with_monthly_credits_gives_them_at_once_and_once_a_month(clock: Clock) -> None:
    none, team, large = plan(0), plan(100), plan(1000)
    workspace = make(none)
    assert moves(workspace) == []
    for other in (team, none, large, team):
        move_to(workspace, other)
    assert moves(workspace) == [("allowance", 100)]
    move_to(workspace, large)
    clock.at(12)
    allowances.renew_due()
    assert moves(workspace)[1:] == [("expire", -100), ("allowance", 1000)]


def test_who_leaves_a_plan_keeps_its_credits_until_the_month_ends(clock: Clock) -> None:
    none, team = plan(0), plan(100)
    workspace = make(team)
    move_to(workspace, none)
    assert balance(workspace) == 100
    clock.at(12)
    allowances.renew_due()
    assert balance(workspace) == 0
    move_to(workspace, team)
    assert balance(workspace) == 100
    assert allowances.renew_due() == 0


def test_a_plan_that_begins_to_give_credits_gives_them_to_its_workspaces(clock: Clock) -> None:
    of = plan(0)
    workspace = make(of)
    Plan.objects.filter(pk=of.pk).update(monthly_credits=70)
    assert [allowances.renew_due(), allowances.renew_due()] == [1, 0]
    assert balance(workspace) == 70


# --- Exactly once ------------------------------------------------------------------------


def test_the_same_month_from_several_connections_comes_once(committed: None, clock: Clock) -> None:
    workspace = make(plan(100, **UP_TO_30), balance=20)
    spend(workspace, 15)
    clock.at(12)

    def run(number: int) -> None:
        try:
            allowances.renew(workspace_id=workspace.pk) if number % 2 else allowances.renew_due()
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(run, range(12)))
    assert moves(workspace)[1:] == [("expire", -55), ("allowance", 100)]
    assert balance(workspace) == 150


def test_a_crash_between_the_entries_leaves_neither(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = make(plan(100))
    clock.at(12)
    add = credits._add

    def crash(**given: Any) -> LedgerEntry:
        if given["kind"] == Kind.ALLOWANCE:
            raise KeyboardInterrupt
        return add(**given)

    with monkeypatch.context() as patch:
        patch.setattr(credits, "_add", crash)
        with pytest.raises(KeyboardInterrupt), transaction.atomic():
            allowances.renew(workspace_id=workspace.pk)
    assert len(moves(workspace)) == 1
    allowances.renew_due()
    assert moves(workspace)[1:] == [("expire", -100), ("allowance", 100)]


def test_a_month_that_ends_above_the_threshold_is_no_low_balance(clock: Clock) -> None:
    workspace = make(plan(100))
    actor = make_actor(workspace)
    endpoints.create(
        actor=actor, url="https://hooks.example/", events=["credits.low"], origin="https://portal.example"
    )
    clock.at(12)
    allowances.renew_due()  # 100, then 0 for a moment, then 100
    assert not WebhookDelivery.objects.exists()
    spend(workspace, 51)
    assert WebhookDelivery.objects.get().data["balance"] == 49
