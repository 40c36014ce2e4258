"""What the ledger says was spent, added up anew and compared with every counter."""

from __future__ import annotations

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Sum

from editor import months
from editor.access.actor import Actor
from editor.models import LIVE, CreditAccount, Job, LedgerEntry, Workspace
from editor.queries import limits, members
from editor.queries.limits import Kind, Limit


def spent_by_job(workspace: Workspace) -> dict[UUID, int]:
    """Credits that each job was charged or holds: from the ledger alone."""
    rows = LedgerEntry.objects.filter(account=workspace.pk, job__isnull=False).values_list("job")
    return {job: -amount for job, amount in rows.annotate(Sum("amount")).order_by()}


def used(actor: Actor, kind: Kind) -> int:
    """What counts towards the limit, from the ledger and the jobs' makers and days."""
    day = limits.today(actor.workspace)
    since = months.of(day) if kind.is_monthly else day
    jobs = Job.objects.filter(workspace=actor.workspace, spent_on__gte=since)
    if kind in (Kind.MEMBER_MONTH, Kind.MEMBER_DAY):
        jobs = jobs.filter(created_by=actor.user, approved=False)
    elif kind in (Kind.KEY_MONTH, Kind.KEY_DAY):
        jobs = jobs.filter(api_key=actor.key_id)
    spent = spent_by_job(actor.workspace)
    return sum(spent.get(pk, 0) for pk in jobs.values_list("pk", flat=True))


def assert_counted(actors: list[Actor]) -> list[Limit]:
    """The account, each counter and each member's spend equal the entries. The limits of all actors."""
    workspace = actors[0].workspace
    account = CreditAccount.objects.get(workspace=workspace)
    entries = LedgerEntry.objects.filter(account=account).order_by("id")
    balance = held = 0
    for entry in entries:
        balance, held = balance + entry.amount, held + entry.held_amount
        assert (entry.balance_after, entry.held_after) == (balance, held)
        assert min(balance, held) >= 0
    assert (account.balance, account.held) == (balance, held)
    live = Job.objects.filter(workspace=workspace, status__in=LIVE).aggregate(price=Sum("price", default=0))
    assert held == live["price"]
    found = [limit for actor in actors for limit in _counted(actor)]
    assert members.spent_by(workspace, [actor.user.pk for actor in actors]) == _of_people(actors)
    return found


def _counted(actor: Actor) -> list[Limit]:
    found = limits.of(actor)
    assert [limit.used for limit in found] == [used(actor, limit.kind) for limit in found]
    return found


def _of_people(actors: list[Actor]) -> dict[Any, int]:
    workspace, sums = actors[0].workspace, defaultdict[Any, int](int)
    spent = spent_by_job(workspace)
    month = months.of(limits.today(workspace))
    for job in Job.objects.filter(workspace=workspace, spent_on__gte=month):
        sums[job.created_by_id] += spent.get(job.pk, 0)
    return {user: amount for user, amount in sums.items() if amount}
