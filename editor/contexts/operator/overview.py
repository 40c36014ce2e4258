"""The operator's overview: is the portal well, who runs out of credits, which provider fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from editor import phrases
from editor.contexts.operator.figures import (
    by_hour,
    dollars,
    duration,
    percent,
    success,
    tone,
    within_a_day,
    worth,
)
from editor.contexts.operator.health import Health, provider_health
from editor.contexts.operator.sparklines import Sparkline, sparkline
from editor.contexts.operator.workspaces import WorkspaceRow, workspace_rows
from editor.operations import queue
from editor.queries.operator import activity, workspaces
from editor.queries.operator.activity import Hour, Queue
from editor.queries.pricing import SANDBOX

SHOWN = 5  # workspaces


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its course over the last day. `chart`: what the course shows, for screen readers."""

    name: str
    value: str
    unit: str
    note: str
    chart: str
    spark: Sparkline


@dataclass(frozen=True, slots=True)
class Overview:
    """`workers`: a sentence; `is_alive`: some worker is."""

    tiles: list[Tile]
    workers: str
    is_alive: bool
    workspaces: list[WorkspaceRow]
    health: list[Health]


def overview() -> Overview:
    now = timezone.now()
    hours = activity.hours(now=now)
    waiting = queue_now(now)
    return Overview(
        tiles=_tiles(now, hours, waiting),
        workers=workers(waiting),
        is_alive=waiting.workers > 0,
        workspaces=workspace_rows(workspaces.page()[:SHOWN]),
        health=provider_health(now=now, hours=hours),
    )


def queue_now(now: datetime) -> Queue:
    return activity.queue_now(now=now, jobs=queue.JOBS, others=(queue.WEBHOOKS, queue.MAILS))


def workers(waiting: Queue) -> str:
    if not waiting.workers:
        return "No worker is alive"
    return f"{waiting.workers} worker{'' if waiting.workers == 1 else 's'} alive"


def _tiles(now: datetime, hours: list[Hour], waiting: Queue) -> list[Tile]:
    day = within_a_day(now, hours)
    return [
        _queue(now, hours, waiting),
        _edits(now, hours, day),
        _success(now, hours, day),
        _paid(now, hours, day),
    ]


def _queue(now: datetime, hours: list[Hour], waiting: Queue) -> Tile:
    waits = by_hour(
        now, hours, lambda ones: max((one.wait.total_seconds() for one in ones if one.wait), default=0)
    )
    oldest = f"oldest waits {duration(now - waiting.oldest)}" if waiting.oldest else "nothing waits"
    return Tile(
        "Queue",
        f"{waiting.waiting:,}",
        "waiting",
        f"{oldest} · {waiting.running:,} running",
        "Longest wait by hour",
        sparkline(waits),
    )


def _edits(now: datetime, hours: list[Hour], day: list[Hour]) -> Tile:
    ended = sum(one.completed for one in day)
    before = sum(one.completed for one in hours) - ended
    change = round(100 * (ended - before) / before) if before else None
    if change is None:
        note = "none on the day before"
    else:
        note = f"{abs(change)} % {'more' if change >= 0 else 'fewer'} than the day before"
    counts = by_hour(now, hours, lambda ones: sum(one.completed for one in ones))
    return Tile("Edits", f"{ended:,}", "", note, "Completed edits by hour", sparkline(counts))


def _success(now: datetime, hours: list[Hour], day: list[Hour]) -> Tile:
    share, failed = success(day), sum(one.failed for one in day)
    rates = by_hour(now, hours, lambda ones: 1.0 if (rate := success(ones)) is None else rate)
    note = f"{failed:,} failed, all credits returned" if failed else "nothing failed"
    return Tile(
        "Success", percent(share), "", note, "Success by hour", sparkline(rates, top=1, tone=tone(share))
    )


def _paid(now: datetime, hours: list[Hour], day: list[Hour]) -> Tile:
    cost, charged = sum((one.cost for one in day), Decimal(0)), sum(one.charged for one in day)
    costs = by_hour(now, hours, lambda ones: float(sum((one.cost for one in ones), Decimal(0))))
    unknown = sum(one.without_cost for one in day if one.provider != SANDBOX)
    sold = f"sold for {worth(charged)}"
    note = f"{sold}, {phrases.edits(unknown)} without a cost" if unknown else sold
    return Tile("Paid to providers", dollars(cost), "", note, "US dollars by hour", sparkline(costs))
