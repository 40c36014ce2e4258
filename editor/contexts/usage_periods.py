"""The columns of a chart of usage: days of a month, weeks, or months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from editor import months
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


def periods(unit: Unit, month: date) -> list[Period]:
    """The days of the month, or the weeks or months up to it. `month`: its first day."""
    last = months.last_day(month)
    if unit == Unit.DAY:
        days = [month + timedelta(days=number) for number in range(last.day)]
        return [Period(day, day, f"{day.day} {day:%b}", f"{day:%a} {day.day} {day:%b}") for day in days]
    if unit == Unit.WEEK:
        newest = last - timedelta(days=last.weekday())
        starts = [newest - timedelta(weeks=number) for number in reversed(range(WEEKS))]
        return [_week(start) for start in starts]
    starts = [month]
    while len(starts) < MONTHS:
        starts.insert(0, months.before(starts[0]))
    return [Period(start, months.last_day(start), f"{start:%b}", f"{start:%B %Y}") for start in starts]


def _week(start: date) -> Period:
    end = start + timedelta(days=6)
    return Period(start, end, f"{start.day} {start:%b}", f"{start.day} {start:%b} to {end.day} {end:%b %Y}")


def offered(first: date, today: date) -> list[date]:
    """The months that can be chosen, the current one first, back to that of `first`."""
    found = [months.of(today)]
    while found[-1] > first and len(found) < OFFERED:
        found.append(months.before(found[-1]))
    return found
