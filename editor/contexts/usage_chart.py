"""The chart of what was spent, its table and its CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby

import humanize

from editor import months, phrases
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.audit import harmless
from editor.contexts.money import money
from editor.contexts.usage_drawing import PAPERS, Column, Drawing, draw
from editor.contexts.usage_periods import Period, offered, periods
from editor.queries import limits, usage
from editor.queries.usage import Dimension, Figures, Row, Span, Unit

NAMED = 3  # groups with a colour of their own; a fourth too if it is the only other one
DIMENSIONS = {
    Dimension.MODEL: "Model",
    Dimension.MEMBER: "Member",
    Dimension.CHANNEL: "Channel",
    Dimension.PROVIDER: "Provider",
    Dimension.KEY: "Key",
}
UNITS = {Unit.DAY: "Day", Unit.WEEK: "Week", Unit.MONTH: "Month"}


@dataclass(frozen=True, slots=True)
class Selection:
    """What the chart shows. `month`: its first day, also the last one of weeks and months."""

    dimension: Dimension
    unit: Unit
    month: date


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Part:
    """One group in a tooltip."""

    label: str
    shade: int
    credits: int


@dataclass(frozen=True, slots=True)
class Tip:
    """What a column says. `ahead`: credits that are expected still; 0: none."""

    title: str
    credits: int
    parts: list[Part]
    ahead: int

    @property
    def name(self) -> str:
        """The accessible name."""
        parts = "".join(f", {part.label} {part.credits:,}" for part in self.parts)
        ahead = f", about {self.ahead:,} more expected" if self.ahead else ""
        return f"{self.title}: {phrases.credits(self.credits)}{parts}{ahead}"


@dataclass(frozen=True, slots=True)
class TableRow:
    label: str
    shade: int
    figures: Figures
    percent: int
    money: str


@dataclass(frozen=True, slots=True)
class Chart:
    """`last`: the number of the column that the Tab key reaches; arrow keys lead to the others."""

    heading: str
    period: str
    group: str
    dimensions: list[Choice]
    units: list[Choice]
    months: list[Choice]
    drawings: list[Drawing]
    tips: list[Tip]
    last: int
    rows: list[TableRow]
    most: int
    csv_url: str


def seen_by(actor: Actor, since: date, until: date) -> Span:
    """Only the actor's own figures, unless they may see what everybody spent."""
    user = None if actor.may(Permission.USAGE_VIEW) else actor.user.pk
    return Span(actor.workspace, since, until, user=user)


def offered_dimensions(actor: Actor) -> dict[Dimension, str]:
    if actor.may(Permission.USAGE_VIEW):
        return DIMENSIONS
    return {one: label for one, label in DIMENSIONS.items() if one != Dimension.MEMBER}


def chart(actor: Actor, selection: Selection, *, csv_url: str) -> Chart:
    workspace, today = actor.workspace, limits.today(actor.workspace)
    columns = periods(selection.unit, selection.month)
    span = seen_by(actor, columns[0].start, columns[-1].end)
    rows = usage.by(span, selection.dimension, selection.unit)
    sums = usage.by_group(rows)
    shown = _shown(selection.dimension, sums)
    ahead = _ahead(actor, columns, today)
    found = {start: list(group) for start, group in groupby(rows, key=lambda row: row.start)}
    tips = [
        _tip(period, found.get(period.start, []), shown, ahead[number])
        for number, period in enumerate(columns)
    ]
    drawn = [
        Column(_parts(found.get(period.start, []), shown), ahead[number], period.label)
        for number, period in enumerate(columns)
    ]
    past = [number for number, period in enumerate(columns) if period.start <= today]
    return Chart(
        heading=f"Credits per {selection.unit}",
        period=f"{selection.month:%B}",
        group=DIMENSIONS[selection.dimension],
        dimensions=_choices(offered_dimensions(actor), selection.dimension),
        units=_choices(UNITS, selection.unit),
        months=[
            Choice(f"{month:%Y-%m}", _month(month, today), month == selection.month)
            for month in offered(min(usage.first_day(workspace) or today, selection.month), today)
        ],
        drawings=[draw(paper, drawn, days=selection.unit == Unit.DAY) for paper in PAPERS] if rows else [],
        tips=tips,
        last=past[-1] if past else 0,
        rows=_table(shown, sums),
        most=max((figures.credits for figures in _by_shade(shown, sums).values()), default=0),
        csv_url=csv_url,
    )


def csv_lines(actor: Actor, selection: Selection) -> list[list[str]]:
    """All groups of the chart's period, a row for each day, week or month."""
    columns = periods(selection.unit, selection.month)
    span = seen_by(actor, columns[0].start, columns[-1].end)
    rows = usage.by(span, selection.dimension, selection.unit)
    labels = usage.labels(selection.dimension, {row.group for row in rows})
    head = [UNITS[selection.unit], DIMENSIONS[selection.dimension], "Id"]
    return [
        [*head, "Edits", "Failed", "Credits", "Returned"],
        *(
            [row.start.isoformat(), harmless(labels[row.group]), row.group, *_numbers(row.figures)]
            for row in rows
        ),
    ]


def _numbers(figures: Figures) -> list[str]:
    return [str(one) for one in (figures.edits, figures.failed, figures.credits, figures.returned)]


def _choices(offered: Mapping[Dimension, str] | Mapping[Unit, str], chosen: str) -> list[Choice]:
    return [Choice(value.value, label, value == chosen) for value, label in offered.items()]


def _month(month: date, today: date) -> str:
    return f"{month:%B}" if month.year == today.year else f"{month:%B %Y}"


@dataclass(frozen=True, slots=True)
class _Shown:
    """The colour of each group, and the labels of the colours."""

    shades: dict[str, int]
    labels: dict[int, str]


def _shown(dimension: Dimension, sums: Mapping[str, Figures]) -> _Shown:
    groups = list(sums)
    others = len(groups) - NAMED
    shades = {group: min(number, NAMED) + 1 for number, group in enumerate(groups)}
    named = groups[: NAMED + (others == 1)]
    labels = {shades[group]: label for group, label in usage.labels(dimension, named).items()}
    if others > 1:
        labels[NAMED + 1] = f"{humanize.apnumber(others).capitalize()} others"
    return _Shown(shades, labels)


def _by_shade(shown: _Shown, sums: Mapping[str, Figures]) -> dict[int, Figures]:
    found = dict.fromkeys(sorted(shown.labels), Figures())
    for group, figures in sums.items():
        found[shown.shades[group]] += figures
    return found


def _parts(rows: Sequence[Row], shown: _Shown) -> list[int]:
    parts = [0] * (NAMED + 1)
    for row in rows:
        parts[shown.shades[row.group] - 1] += row.figures.credits
    return parts


def _tip(period: Period, rows: Sequence[Row], shown: _Shown, ahead: float) -> Tip:
    parts = _parts(rows, shown)
    return Tip(
        title=period.title,
        credits=sum(parts),
        parts=[
            Part(shown.labels[number], number, credits)
            for number, credits in enumerate(parts, start=1)
            if credits
        ],
        ahead=round(ahead),
    )


def _table(shown: _Shown, sums: Mapping[str, Figures]) -> list[TableRow]:
    total = sum(figures.credits for figures in sums.values()) or 1
    return [
        TableRow(
            label=shown.labels[shade],
            shade=shade,
            figures=figures,
            percent=round(100 * figures.credits / total),
            money=money(figures.credits),
        )
        for shade, figures in _by_shade(shown, sums).items()
    ]


def _ahead(actor: Actor, columns: Sequence[Period], today: date) -> list[float]:
    """Credits to expect in each column after today, up to the end of this month."""
    end = months.last_day(today)
    if not any(period.start <= end and period.end > today for period in columns):
        return [0] * len(columns)
    expected = expected_by_day(actor, today=today, until=end)
    return [
        sum(credits for day, credits in expected.items() if period.start <= day <= period.end)
        for period in columns
    ]


def expected_by_day(actor: Actor, *, today: date, until: date) -> dict[date, float]:
    """The forecast of what the viewer's figures will be, for each day after today."""
    since = today - timedelta(weeks=usage.FORECAST_WEEKS)
    past = seen_by(actor, since, today - timedelta(days=1))
    return usage.forecast(usage.credits_by_day(past), today=today, until=until)
