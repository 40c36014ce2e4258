"""What was spent: by day, week or month, and by model, member, channel, provider or API key."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db.models import F, Min, QuerySet, Sum
from django.db.models.functions import TruncMonth, TruncWeek

from editor import catalog
from editor.models import ApiKey, Channel, DailyUsage, User, Workspace
from editor.providers import registry
from editor.providers.base import ProviderError

FORECAST_WEEKS = 4  # whose days of the week are averaged


class Dimension(StrEnum):
    """What reports are grouped by. APIs and URLs name dimensions by these."""

    MODEL = "model"
    MEMBER = "member"
    CHANNEL = "channel"
    PROVIDER = "provider"
    KEY = "key"


class Unit(StrEnum):
    """What one column of a report covers. Weeks start on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


_COLUMNS = {
    Dimension.MODEL: "model",
    Dimension.MEMBER: "user_id",
    Dimension.CHANNEL: "channel",
    Dimension.PROVIDER: "provider",
    Dimension.KEY: "api_key_id",
}
_STARTS = {Unit.DAY: F("day"), Unit.WEEK: TruncWeek("day"), Unit.MONTH: TruncMonth("day")}


@dataclass(frozen=True, slots=True)
class Figures:
    """Edits that were completed and that failed, and credits that were charged and returned."""

    edits: int = 0
    failed: int = 0
    credits: int = 0
    returned: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.edits + other.edits,
            self.failed + other.failed,
            self.credits + other.credits,
            self.returned + other.returned,
        )


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one group in the day, week or month that begins on `start`.

    group  a model's or provider's id, a channel, or the id of a person or key; "" if it has been deleted
    """

    start: date
    group: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Span:
    """Days of a workspace, the last included.

    user  only what this person spent; None: everybody
    """

    workspace: Workspace
    since: date
    until: date
    user: UUID | None = None

    def rows(self) -> QuerySet[DailyUsage]:
        rows = DailyUsage.objects.filter(account=self.workspace.pk, day__gte=self.since, day__lte=self.until)
        return rows.filter(user=self.user) if self.user else rows


def total(span: Span) -> Figures:
    return Figures(**span.rows().aggregate(**_SUMS))


def by(span: Span, dimension: Dimension, unit: Unit = Unit.DAY) -> list[Row]:
    """The figures of each group, by time and then by group. One query."""
    rows = span.rows().annotate(start=_STARTS[unit], group=F(_COLUMNS[dimension]))
    found = rows.values("start", "group").annotate(**_SUMS).order_by("start", "group")
    return [_row(row) for row in found]


def page(span: Span, dimension: Dimension, *, number: int, size: int) -> list[Row]:
    """A page of `by` days, newest first, and one more row if there is another page."""
    rows = span.rows().annotate(start=F("day"), group=F(_COLUMNS[dimension]))
    found = rows.values("start", "group").annotate(**_SUMS).order_by("-start", "group")
    first = (number - 1) * size
    return [_row(row) for row in found[first : first + size + 1]]


def by_group(rows: Iterable[Row]) -> dict[str, Figures]:
    """The figures of each group over all time, those with the most credits first."""
    sums: dict[str, Figures] = {}
    for row in rows:
        sums[row.group] = sums.get(row.group, Figures()) + row.figures
    return dict(sorted(sums.items(), key=lambda item: (-item[1].credits, -item[1].edits, item[0])))


def _row(row: Mapping[str, Any]) -> Row:
    figures = Figures(**{name: row[name] for name in _SUMS})
    return Row(start=row["start"], group=str(row["group"] or ""), figures=figures)


def credits_by_day(span: Span) -> dict[date, int]:
    """Credits of each day on which there was an edit."""
    return dict(span.rows().values_list("day").annotate(Sum("credits")).order_by("day"))


def first_day(workspace: Workspace) -> date | None:
    """The first day on which an edit counts; None before there is one."""
    found: date | None = DailyUsage.objects.filter(account=workspace.pk).aggregate(first=Min("day"))["first"]
    return found


def forecast(spent: Mapping[date, int], *, today: date, until: date) -> dict[date, float]:
    """Credits to expect of each day after `today`: as on the same day of the week lately, on average.

    spent  credits by day, from FORECAST_WEEKS weeks before today on; counted from the first of them
    """
    since = max(min(spent, default=today), today - timedelta(weeks=FORECAST_WEEKS))
    past = [since + timedelta(days=number) for number in range((today - since).days)]
    expected = {}
    for number in range(1, (until - today).days + 1):
        day = today + timedelta(days=number)
        alike = [spent.get(one, 0) for one in past if one.weekday() == day.weekday()] or [0]
        expected[day] = sum(alike) / len(alike)
    return expected


def labels(dimension: Dimension, groups: Collection[str]) -> dict[str, str]:
    """What people call these groups. At most one query."""
    return {group: _LABELS[dimension](group) for group in groups} | _names(dimension, groups)


def _names(dimension: Dimension, groups: Collection[str]) -> dict[str, str]:
    ids = [group for group in groups if group]
    if dimension == Dimension.MEMBER:
        return {str(user.pk): user.display_name for user in User.objects.filter(pk__in=ids)}
    if dimension == Dimension.KEY:
        return {str(key.pk): key.name for key in ApiKey.objects.filter(pk__in=ids)}
    return {}


def model_label(model: str) -> str:
    known = catalog.catalog().models.get(model)
    return known.label if known else model


def channel_label(channel: str) -> str:
    return Channel(channel).label if channel in Channel.values else channel


def provider_label(provider: str) -> str:
    try:
        return registry.get(provider).label
    except ProviderError:  # it has been removed since
        return provider


_LABELS: Mapping[Dimension, Any] = {
    Dimension.MODEL: model_label,
    Dimension.MEMBER: lambda group: "Former member",
    Dimension.CHANNEL: channel_label,
    Dimension.PROVIDER: provider_label,
    Dimension.KEY: lambda group: "Deleted key" if group else "Without a key",
}
_SUMS = {name: Sum(name, default=0) for name in ("edits", "failed", "credits", "returned")}
