"""Any interleaving of months, clocks, crashes, edits and plans: credits add up, and come once a month."""

from __future__ import annotations

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from editor.errors import EditorError, InsufficientCredits
from editor.models import Job, LedgerEntry, Plan, Workspace
from editor.operations import allowances, credits
from tests.operations.months import (
    ALLOW,
    UP_TO_30,
    Clock,
    Kind,
    clock,
    end,
    make,
    move_to,
    plan,
    start,
)
from tests.operations.test_credits import assert_adds_up

__all__ = ["clock"]

pytestmark = pytest.mark.django_db

steps = st.lists(
    st.one_of(
        st.tuples(st.just("go"), st.integers(-45, 70)),  # days
        st.tuples(st.just("renew"), st.just(0)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("start"), st.integers(0, 60)),
        st.tuples(st.just("end"), st.integers(0, 60)),
        st.tuples(st.just("fail"), st.just(0)),
        st.tuples(st.just("grant"), st.integers(1, 80)),
        st.tuples(st.just("adjust"), st.integers(-80, -1)),
        st.tuples(st.just("plan"), st.integers(0, 3)),
    ),
    max_size=30,
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_any_interleaving_adds_up_and_gives_once_a_month(clock: Clock, steps: list[tuple[str, int]]) -> None:
    clock.at(11, 15)
    with transaction.atomic():
        plans = [plan(0), plan(100), plan(40, **UP_TO_30), plan(70, **ALLOW)]
        workspace = make(plans[1])
        running: list[Job] = []
        for what, number in steps:
            with contextlib.suppress(EditorError), transaction.atomic():
                _step(workspace, clock, plans, running, what, number)
            assert_adds_up(workspace)
        _assert_once(workspace)
        _assert_granted_credits_stay(workspace)
        transaction.set_rollback(True)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=steps)
def test_any_interleaving_with_other_connections_gives_once_a_month(
    committed: None, clock: Clock, steps: list[tuple[str, int]]
) -> None:
    """After each step, two other connections begin the month at once, while an edit starts."""
    clock.at(11, 15)
    plans = [plan(0), plan(100), plan(40, **UP_TO_30), plan(70, **ALLOW)]
    workspace = make(plans[1])
    running: list[Job] = []

    def begin(number: int) -> None:
        try:
            if number:
                allowances.renew(workspace_id=workspace.pk)
            else:
                with contextlib.suppress(InsufficientCredits):
                    running.append(start(workspace, 1))
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as threads:
        for what, number in steps:
            with contextlib.suppress(EditorError), transaction.atomic():
                _step(workspace, clock, plans, running, what, number)
            list(threads.map(begin, range(3)))
    assert_adds_up(workspace)
    _assert_once(workspace)
    _assert_granted_credits_stay(workspace)


def _step(
    workspace: Workspace, clock: Clock, plans: list[Plan], running: list[Job], what: str, number: int
) -> None:
    if what == "go":
        clock.now += timedelta(days=number)
        allowances.renew_due()
    elif what == "renew":
        allowances.renew(workspace_id=workspace.pk)
    elif what == "crash":
        with contextlib.suppress(KeyboardInterrupt), transaction.atomic():
            allowances.renew_due()
            raise KeyboardInterrupt
    elif what == "start":
        running.append(start(workspace, number))
    elif what in ("end", "fail") and running:
        job = running.pop(number % len(running))
        end(job, min(number, job.price) if what == "end" else None)
    elif what == "grant":
        credits.grant(workspace=workspace, amount=number, actor=None)
    elif what == "adjust":
        credits.adjust(workspace=workspace, amount=number, actor=None, note="")
    elif what == "plan":
        move_to(workspace, plans[number])


def _assert_once(workspace: Workspace) -> None:
    given = LedgerEntry.objects.filter(account=workspace.pk, kind=Kind.ALLOWANCE).order_by("id")
    months = [entry.period for entry in given if entry.period]
    assert len(months) == len(given)
    assert months == sorted(set(months)), "once a month, and never for one before"


def _assert_granted_credits_stay(workspace: Workspace) -> None:
    """Recounted from the ledger: edits take monthly credits first, and no others end with a month."""
    monthly = 0
    taken: dict[Any, tuple[int, int]] = {}  # by job: monthly credits, others
    for entry in LedgerEntry.objects.filter(account=workspace.pk).order_by("id"):
        if entry.kind == Kind.ALLOWANCE:
            monthly += entry.amount
        elif entry.kind == Kind.EXPIRE:
            assert -entry.amount <= monthly
            monthly += entry.amount
        elif entry.kind == Kind.HOLD:
            first = min(monthly, -entry.amount)
            taken[entry.job_id] = (first, -entry.amount - first)
            monthly -= first
        elif entry.job_id:
            first, others = taken[entry.job_id]
            monthly += max(0, entry.amount - others)
