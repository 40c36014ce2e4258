"""The edits of all workspaces in the last hours: what ended, at which providers, and what waits.

Each figure is one query over an index of jobs by their end or their start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate, Count, DurationField, F, Max, Min, Q, Sum
from django.db.models.functions import Coalesce, TruncHour
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob, ProcrastinateWorker

from editor.models import LIVE, Job, Status

HOURS = 24
FAILURES = 30  # on a page
# A worker without a heartbeat for this long does not work any more.
ALIVE_WITHIN = timedelta(seconds=10)
# Failures that say nothing about the provider.
NOT_ITS_FAULT = ("invalid_input", "moderated", "not_offered")
# Those of edits that waited for an approval and did not get it: no failures of the portal.
NOT_STARTED = ("approval_declined", "approval_lapsed")


class Percentile(Aggregate):
    """PostgreSQL's percentile_cont."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(%(fraction)s) WITHIN GROUP (ORDER BY %(expressions)s)"

    def __init__(self, expression: Any, *, fraction: float, **extra: Any) -> None:
        super().__init__(expression, fraction=fraction, output_field=DurationField(), **extra)


@dataclass(frozen=True, slots=True)
class Hour:
    """What ended within an hour at one provider.

    blamed        failures that are the provider's
    charged       credits of edits with the portal's keys
    cost          US dollars that the provider took for those, as far as it reports them
    with_cost     for how many edits it does, and `charged_with_cost`: their credits
    without_cost  for how many completed edits it does not
    wait          the longest time between an edit's submission and its start
    """

    at: datetime
    provider: str
    completed: int
    failed: int
    blamed: int
    charged: int
    cost: Decimal
    with_cost: int
    charged_with_cost: int
    without_cost: int
    wait: timedelta | None


def hours(*, now: datetime) -> list[Hour]:
    """Of the last two days, by hour and provider; the earlier day is for comparison."""
    done, portal = Q(status=Status.COMPLETED), Q(own_key=False)
    failed = Q(status=Status.FAILED)
    with_cost = portal & Q(provider_cost__isnull=False)
    rows = (
        Job.objects.filter(finished_at__gt=now - timedelta(hours=2 * HOURS), finished_at__lte=now)
        .exclude(error_code__in=NOT_STARTED)
        .annotate(at=TruncHour("finished_at", tzinfo=timezone.get_default_timezone()))
        .values("at", "provider")
        .annotate(
            completed=Count("pk", filter=done),
            failed=Count("pk", filter=failed),
            blamed=Count("pk", filter=failed & ~Q(error_code__in=NOT_ITS_FAULT)),
            charged_sum=Sum("charged", filter=portal, default=0),
            cost=Sum("provider_cost", filter=portal, default=Decimal(0)),
            with_cost=Count("pk", filter=with_cost),
            charged_with_cost=Sum("charged", filter=with_cost, default=0),
            without_cost=Count("pk", filter=done & portal & Q(provider_cost=None)),
            wait=Max(F("started_at") - F("created_at"), output_field=DurationField()),
        )
        .order_by("at")
    )
    return [Hour(charged=row.pop("charged_sum"), **row) for row in _plain(rows)]


def _plain(rows: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for row in rows:
        yield dict(row)


def refusals(*, now: datetime) -> Mapping[str, int]:
    """How many edits of the last day each provider did not accept, which another one took over."""
    groups = (
        Job.objects.filter(finished_at__gt=now - timedelta(hours=HOURS))
        .exclude(tried_providers=[])
        .values_list("tried_providers")
        .annotate(count=Count("pk"))
        .order_by()
    )
    found: dict[str, int] = {}
    for tried, count in groups:
        for provider in tried:
            found[provider] = found.get(provider, 0) + count
    return found


def durations(*, now: datetime) -> Mapping[str, tuple[timedelta, timedelta]]:
    """By provider, the time that half and 95 % of the completed edits of the last day took at most."""
    took = F("finished_at") - Coalesce("submitting_at", "started_at")
    rows = (
        Job.objects.filter(finished_at__gt=now - timedelta(hours=HOURS), status=Status.COMPLETED)
        .values("provider")
        .annotate(half=Percentile(took, fraction=0.5), most=Percentile(took, fraction=0.95))
        .order_by()
    )
    return {row["provider"]: (row["half"], row["most"]) for row in rows if row["half"] is not None}


def last_failures(*, now: datetime) -> Mapping[str, Job]:
    """The newest edit of each provider, within two days, that failed by its fault."""
    rows = (
        Job.objects.filter(status=Status.FAILED, finished_at__gt=now - timedelta(hours=2 * HOURS))
        .exclude(error_code__in=NOT_ITS_FAULT + NOT_STARTED)
        .order_by("provider", "-finished_at")
        .distinct("provider")
        .only("provider", "finished_at", "error", "error_code")
    )
    return {job.provider: job for job in rows}


def failures(*, before: datetime | None = None) -> list[Job]:
    """The newest failed edits of all workspaces with their steps as `events`, one more than a page."""
    rows = Job.objects.filter(status=Status.FAILED).exclude(error_code__in=NOT_STARTED)
    if before:
        rows = rows.filter(finished_at__lt=before)
    rows = rows.order_by("-finished_at").select_related("workspace", "created_by").prefetch_related("events")
    return list(rows[: FAILURES + 1])


@dataclass(frozen=True, slots=True)
class Queue:
    """Edits that wait and run now, those that wait since `oldest`, and workers with a heartbeat.

    others  deliveries of webhooks and mails that are due, by queue
    """

    waiting: int
    running: int
    oldest: datetime | None
    workers: int
    others: Mapping[str, int]


def queue_now(*, now: datetime, jobs: str, others: Sequence[str]) -> Queue:
    """`jobs`, `others`: the queue's names; each process works on all of them."""
    live = Job.objects.filter(status__in=LIVE).aggregate(
        waiting=Count("pk", filter=Q(status=Status.PENDING)),
        running=Count("pk", filter=Q(status=Status.PROCESSING)),
        oldest=Min("created_at", filter=Q(status=Status.PENDING)),
    )
    return Queue(
        **live,
        workers=_processes(now, per_process=len((jobs, *others))),
        others=_due(now, others),
    )


def _processes(now: datetime, *, per_process: int) -> int:
    """Processes with a heartbeat; each has a row for each of its queues."""
    rows = ProcrastinateWorker.objects.filter(last_heartbeat__gt=now - ALIVE_WITHIN).count()
    return -(-rows // per_process)


def _due(now: datetime, names: Sequence[str]) -> dict[str, int]:
    due = ProcrastinateJob.objects.filter(queue_name__in=names, status="todo").filter(
        Q(scheduled_at=None) | Q(scheduled_at__lte=now)
    )
    counts = dict(due.values_list("queue_name").annotate(Count("pk")).order_by())
    return {name: counts.get(name, 0) for name in names}
