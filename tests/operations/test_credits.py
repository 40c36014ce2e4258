"""The ledger: exact, append-only, never negative, each hold settled or released once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor.errors import Conflict, InsufficientCredits, InvalidInput
from editor.models import AuditEntry, CreditAccount, Job, LedgerEntry, Workspace
from editor.operations import credits
from tests.factories import make_workspace

pytestmark = pytest.mark.django_db


def make_job(workspace: Workspace, price: int) -> Job:
    return Job.objects.create(
        workspace=workspace,
        model="black-forest-labs/flux-kontext-pro",
        prompt="make it warmer",
        provider="sandbox",
        target="x",
        price=price,
        time_limit=300,
    )


def hold(workspace: Workspace, price: int) -> Job:
    with transaction.atomic():
        account = credits.lock_account(workspace_id=workspace.id)
        job = make_job(workspace, price)
        credits.hold(account=account, job=job)
    return job


def assert_adds_up(workspace: Workspace) -> CreditAccount:
    """The account equals the sums of its entries, and each entry records the totals after it."""
    account = CreditAccount.objects.get(workspace=workspace)
    entries = LedgerEntry.objects.filter(account=account).order_by("id")
    sums = entries.aggregate(balance=Sum("amount", default=0), held=Sum("held_amount", default=0))
    assert (account.balance, account.held) == (sums["balance"], sums["held"])
    balance = held = 0
    for entry in entries:
        balance, held = balance + entry.amount, held + entry.held_amount
        assert (entry.balance_after, entry.held_after) == (balance, held)
    return account


def test_grant_adds_to_the_balance_and_to_the_audit_log() -> None:
    workspace = make_workspace(balance=0)
    credits.grant(workspace=workspace, amount=40, actor=None, note="welcome")
    assert assert_adds_up(workspace).balance == 40
    assert AuditEntry.objects.get(action="credits.granted").data["amount"] == 40


@pytest.mark.parametrize("amount", [0, -1, credits.MAXIMUM_GRANT + 1])
def test_grant_refuses_invalid_amounts(amount: int) -> None:
    workspace = make_workspace(balance=5)
    with pytest.raises(InvalidInput):
        credits.grant(workspace=workspace, amount=amount, actor=None)
    assert assert_adds_up(workspace).balance == 5


def test_adjust_cannot_take_more_than_the_balance() -> None:
    workspace = make_workspace(balance=5)
    credits.adjust(workspace=workspace, amount=-5, actor=None, note="correction")
    with pytest.raises(InvalidInput):
        credits.adjust(workspace=workspace, amount=-1, actor=None, note="correction")
    assert assert_adds_up(workspace).balance == 0


def test_hold_then_settle_spends_the_cost_and_returns_the_rest() -> None:
    workspace = make_workspace(balance=10)
    job = hold(workspace, 8)
    assert assert_adds_up(workspace).held == 8
    credits.settle(job=job, cost=6)
    account = assert_adds_up(workspace)
    assert (account.balance, account.held) == (4, 0)


def test_hold_then_release_returns_everything() -> None:
    workspace = make_workspace(balance=10)
    credits.release(job=hold(workspace, 8))
    account = assert_adds_up(workspace)
    assert (account.balance, account.held) == (10, 0)


def test_hold_beyond_the_balance_is_refused_with_a_message() -> None:
    workspace = make_workspace(balance=7)
    with pytest.raises(InsufficientCredits, match=r"needs 8, but the workspace has 7"):
        hold(workspace, 8)
    assert assert_adds_up(workspace).balance == 7
    assert not Job.objects.exists()


@pytest.mark.parametrize("again", ["settle", "release"])
def test_a_hold_cannot_be_ended_twice(again: str) -> None:
    workspace = make_workspace(balance=30)
    hold(workspace, 8)
    job = hold(workspace, 8)
    credits.settle(job=job, cost=8)
    with pytest.raises(IntegrityError), transaction.atomic():
        credits.settle(job=job, cost=8) if again == "settle" else credits.release(job=job)
    assert assert_adds_up(workspace).held == 8


def test_settling_more_than_was_held_is_refused() -> None:
    workspace = make_workspace(balance=10)
    with pytest.raises(Conflict):
        credits.settle(job=hold(workspace, 8), cost=9)


@pytest.mark.parametrize(
    "statement", ["UPDATE editor_ledgerentry SET amount = 999", "DELETE FROM editor_ledgerentry"]
)
def test_the_database_refuses_to_change_the_ledger(statement: str) -> None:
    make_workspace(balance=10)
    with pytest.raises(DatabaseError, match="never changed or deleted"), transaction.atomic():
        connection.cursor().execute(statement)


def test_the_database_refuses_an_entry_that_does_not_add_up() -> None:
    workspace = make_workspace(balance=10)
    job = hold(workspace, 8)
    with pytest.raises(IntegrityError), transaction.atomic():
        LedgerEntry.objects.create(
            account=workspace.credit_account,
            kind="settle",
            amount=9,
            held_amount=-8,
            balance_after=11,
            held_after=0,
            job=job,
        )


moves = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.integers(1, 50), st.just(0)),
        st.tuples(st.just("adjust"), st.integers(-50, 50), st.just(0)),
        st.tuples(st.just("hold"), st.integers(0, 30), st.just(0)),
        st.tuples(st.just("settle"), st.integers(0, 9), st.integers(0, 40)),
        st.tuples(st.just("release"), st.integers(0, 9), st.just(0)),
    ),
    max_size=25,
)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(moves=moves)
def test_any_sequence_of_operations_adds_up(moves: list[tuple[str, int, int]]) -> None:
    with transaction.atomic():
        workspace = make_workspace(balance=0)
        open_jobs: list[Job] = []
        for kind, number, cost in moves:
            try:
                with transaction.atomic():
                    if kind == "grant":
                        credits.grant(workspace=workspace, amount=number, actor=None)
                    elif kind == "adjust":
                        credits.adjust(workspace=workspace, amount=number, actor=None, note="")
                    elif kind == "hold":
                        open_jobs.append(hold(workspace, number))
                    elif open_jobs:
                        job = open_jobs[number % len(open_jobs)]
                        if kind == "settle":
                            credits.settle(job=job, cost=cost)
                        else:
                            credits.release(job=job)
                        open_jobs.remove(job)
            except (InvalidInput, InsufficientCredits, Conflict):
                pass
            account = assert_adds_up(workspace)
            assert account.held == sum(job.price for job in open_jobs)
        transaction.set_rollback(True)


def test_concurrent_holds_take_no_more_than_the_balance(committed: None) -> None:
    workspace = make_workspace(balance=1000)

    def attempt(number: int) -> bool:
        try:
            hold(workspace, 50)
        except InsufficientCredits:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(attempt, range(60)))
    assert outcomes.count(True) == 20
    assert assert_adds_up(workspace).balance == 0


def test_concurrent_settle_and_release_have_one_winner(committed: None) -> None:
    workspace = make_workspace(balance=100)
    jobs = [hold(workspace, 10) for _ in range(5)]

    def settle_or_release(number: int) -> bool:
        job = jobs[number % 5]
        try:
            with transaction.atomic():
                credits.settle(job=job, cost=4) if number % 2 else credits.release(job=job)
        except IntegrityError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(settle_or_release, range(20)))
    assert outcomes.count(True) == 5
    assert assert_adds_up(workspace).held == 0
