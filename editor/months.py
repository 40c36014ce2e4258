"""Calendar months, named by their first day."""

from __future__ import annotations

from datetime import date, timedelta


def of(day: date) -> date:
    """The first day of its month."""
    return day.replace(day=1)


def after(day: date) -> date:
    """The first day of the month after that of `day`."""
    return (of(day) + timedelta(days=31)).replace(day=1)


def before(day: date) -> date:
    """The first day of the month before that of `day`."""
    return of(of(day) - timedelta(days=1))


def last_day(day: date) -> date:
    """The last day of its month."""
    return after(day) - timedelta(days=1)
