"""The columns of a chart of usage: days of a month, weeks, or months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from editor.queries.usage import Unit

WEEKS = 13
MONTHS = 12
OFFERED = 24  # months in the chooser


@dataclass(frozen=True, slots=True)
class Period:
    """One column: from its first day to its last.

    label  beside the axis
    title  in the tooltip and the CSV
    """

    start: date
    end: date
    label: str
    title: str


def month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


def month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def periods(unit: Unit, month: date) -> list[Period]:
    """The days of the month, or the weeks or months up to it. `month`: its first day."""
    last = month_after(month) - timedelta(days=1)
    if unit == Unit.DAY:
        days = [month + timedelta(days=number) for number in range(last.day)]
        return [Period(day, day, f"{day.day} {day:%b}", f"{day:%a} {day.day} {day:%b}") for day in days]
    if unit == Unit.WEEK:
        newest = last - timedelta(days=last.weekday())
        starts = [newest - timedelta(weeks=number) for number in reversed(range(WEEKS))]
        return [_week(start) for start in starts]
    months = [month]
    while len(months) < MONTHS:
        months.insert(0, month_before(months[0]))
    return [
        Period(start, month_after(start) - timedelta(days=1), f"{start:%b}", f"{start:%B %Y}")
        for start in months
    ]


def _week(start: date) -> Period:
    end = start + timedelta(days=6)
    return Period(start, end, f"{start.day} {start:%b}", f"{start.day} {start:%b} to {end.day} {end:%b %Y}")


def months(first: date, today: date) -> list[date]:
    """The months that can be chosen, the current one first, back to that of `first`."""
    found = [today.replace(day=1)]
    while found[-1] > first and len(found) < OFFERED:
        found.append(month_before(found[-1]))
    return found
