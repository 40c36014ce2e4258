"""Workspaces with monthly credits, and a clock that a test sets. Import the fixture `clock` to use it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone

from editor.models import Job, LedgerEntry, Plan, Rollover, Status, Workspace
from editor.operations import credits, workspaces
from editor.queries.limits import today
from tests.factories import UserFactory
from tests.operations.test_credits import assert_adds_up

Kind = LedgerEntry.Kind
ALLOW = {"rollover": Rollover.ALL}
UP_TO_30: dict[str, Any] = {"rollover": Rollover.UP_TO, "rollover_limit": 30}


class Clock:
    """The portal's time, which a test sets."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 15, 12, tzinfo=UTC)

    def at(self, month: int, day: int = 1, hour: int = 12, *, year: int = 2026) -> None:
        self.now = datetime(year, month, day, hour, tzinfo=UTC)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("django.utils.timezone.now", lambda: clock.now)
    return clock


def plan(monthly_credits: int, **fields: Any) -> Plan:
    return Plan.objects.create(name=f"Plan {Plan.objects.count()}", monthly_credits=monthly_credits, **fields)


def make(plan: Plan, *, balance: int = 0, **fields: Any) -> Workspace:
    """A workspace with this plan, and a balance of granted credits besides the monthly ones."""
    workspace = workspaces.create(name="Acme Studio", owner=UserFactory.create(), plan=plan)
    Workspace.objects.filter(pk=workspace.pk).update(**fields)
    if balance:
        credits.grant(workspace=workspace, amount=balance, actor=None)
    return Workspace.objects.get(pk=workspace.pk)


def start(workspace: Workspace, price: int) -> Job:
    """An edit that holds its price."""
    with transaction.atomic():
        account = credits.lock_account(workspace_id=workspace.pk)
        job = Job.objects.create(
            workspace=workspace,
            model="black-forest-labs/flux-kontext-pro",
            prompt="make it warmer",
            provider="sandbox",
            target="x",
            price=price,
            spent_on=today(workspace),
            time_limit=300,
        )
        credits.hold(account=account, job=job)
    return job


@transaction.atomic
def end(job: Job, cost: int | None) -> None:
    """Charge `cost` of it; None: it failed, and all of it returns."""
    job.status = Status.FAILED if cost is None else Status.COMPLETED
    job.finished_at, job.charged = timezone.now(), cost or 0
    job.save(update_fields=["status", "finished_at", "charged"])
    if cost is None:
        credits.release(job=job)
    else:
        credits.settle(job=job, cost=cost)


def spend(workspace: Workspace, price: int) -> None:
    end(start(workspace, price), price)


def balance(workspace: Workspace) -> int:
    return assert_adds_up(workspace).balance


def moves(workspace: Workspace) -> list[tuple[str, int]]:
    """Monthly credits that came and ended, oldest first."""
    entries = LedgerEntry.objects.filter(account=workspace.pk, kind__in=[Kind.ALLOWANCE, Kind.EXPIRE])
    return list(entries.order_by("id").values_list("kind", "amount"))


def move_to(workspace: Workspace, plan: Plan) -> None:
    workspace.plan = plan
    workspaces.save(workspace=workspace)
