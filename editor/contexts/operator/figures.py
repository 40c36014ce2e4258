"""Figures of the operator's pages, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from editor import phrases
from editor.contexts.money import money
from editor.queries.operator.activity import HOURS, Hour

# Shares of completed edits: from FINE on nothing is coloured, below POOR it is red.
FINE = 0.98
POOR = 0.9


def by_hour(now: datetime, hours: Sequence[Hour], value: Callable[[list[Hour]], float]) -> list[float]:
    """The value of each of the last 24 hours, the present one last."""
    this = now.replace(minute=0, second=0, microsecond=0)
    starts = [this - timedelta(hours=back) for back in reversed(range(HOURS))]
    return [value([hour for hour in hours if hour.at == start]) for start in starts]


def within_a_day(now: datetime, hours: Sequence[Hour]) -> list[Hour]:
    """Those of the last 24 clock hours; the charts show the same."""
    return [hour for hour in hours if hour.at > now - timedelta(hours=HOURS)]


def success(hours: Sequence[Hour]) -> float | None:
    """The share of edits that were completed; None without edits. Canceled ones do not count."""
    completed, failed = sum(hour.completed for hour in hours), sum(hour.failed for hour in hours)
    return completed / (completed + failed) if completed + failed else None


def percent(share: float | None) -> str:
    """As "97.8 %". Never rounded up to 100 %."""
    if share is None:
        return "–"
    return "100 %" if share == 1 else f"{min(share * 100, 99.9):.1f} %"


def tone(share: float | None) -> str:
    if share is None or share >= FINE:
        return ""
    return "warn" if share >= POOR else "bad"


def dollars(amount: Decimal) -> str:
    return f"${amount:,.2f}"


def worth(credits: int) -> str:
    """Credits in the operator's currency, or as they are without CREDIT_PRICE."""
    return money(credits) or phrases.credits(credits)


def duration(passed: timedelta) -> str:
    """As "21 s", "4 min", "3 h" or "2 days"."""
    seconds = max(0, int(passed.total_seconds()))
    for size, unit in ((86400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
