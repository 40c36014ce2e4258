"""Movements of credits: edits whose price is held and settled as the engine does it, and all others."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone

from editor.models import Job, Status, User, Workspace
from editor.operations import credits, transfers
from tests.factories import make_actor
from tests.web.rows import add_job


def start(workspace: Workspace, user: User, *, price: int = 4, **fields: Any) -> Job:
    """An edit that is running."""
    job = add_job(workspace, price=price, created_by=user, **fields)
    with transaction.atomic():
        credits.hold(account=credits.lock_account(workspace_id=workspace.pk), job=job)
    return job


def end(job: Job, status: Status = Status.COMPLETED, *, cost: int | None = None) -> Job:
    """End it; `cost`: what a completed one is charged, by default its price."""
    done = status == Status.COMPLETED
    job.status, job.finished_at = status, timezone.now()
    job.charged = (job.price if cost is None else cost) if done else 0
    job.save()
    with transaction.atomic():
        if done:
            credits.settle(job=job, cost=job.charged)
        else:
            credits.release(job=job)
    return job


def spend(workspace: Workspace, user: User, *, on: date | None = None, **fields: Any) -> Job:
    """A completed edit. `on`: the day that it counts for."""
    if on:
        fields["spent_on"] = on
    return end(start(workspace, user, **fields))


def move_credits(workspace: Workspace, other: Workspace) -> None:
    """Everything but edits that moves credits. `other`: a workspace of the same owner."""
    here, there = make_actor(workspace), make_actor(other)
    credits.grant(workspace=workspace, amount=50, actor=None, note="Welcome")
    credits.adjust(workspace=workspace, amount=-5, actor=here.user, note="Counted twice")
    with transaction.atomic():
        account = credits.lock_account(workspace_id=workspace.pk)
        credits.begin_month(account=account, month=date(2026, 11, 1), expires=7, gives=30)
    transfers.transfer(actor=here, to=there, amount=11, note="Autumn catalogue")
    transfers.transfer(actor=there, to=here, amount=2)
