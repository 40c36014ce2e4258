"""What was spent, for reports. All of it is an addition."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Field, Query, Router, Schema, Status
from pydantic import BeforeValidator

from editor import months
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.api.authentication import READ
from editor.api.schemas import Page, Success, errors
from editor.concurrency.threads import in_thread
from editor.errors import InvalidInput
from editor.gateway.requests import caller
from editor.queries import limits, usage
from editor.queries.usage import Dimension, Row, Span

router = Router()

LONGEST = 366  # days
DEEPEST = 10_000  # pages


def _day(value: object) -> object:
    """Pydantic also takes a number as seconds since 1970; a day of this call is `2026-11-30`."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
        raise ValueError("Enter a day as YYYY-MM-DD.")
    return value


Day = Annotated[date, BeforeValidator(_day)]
From = Annotated[
    Day | None,
    Query(alias="from", description="The first day; by default the first of the month of `until`."),
]
Until = Annotated[Day | None, Query(description="The last day, included; by default today.")]
GroupBy = Annotated[
    Literal["model", "member", "channel", "provider", "key"],
    Query(description="`model`, `member`, `channel`, `provider` or `key` (the API key)."),
]
PageNumber = Annotated[int, Query(ge=1, le=DEEPEST, description="Page number, starting at 1.")]
PerPage = Annotated[int, Query(ge=1, le=500, description="Rows per page.")]


class UsageRow(Schema):
    """The edits of one day and one group that have ended. They count for the day on which they started."""

    day: date = Field(description="In the workspace's time zone.")
    group: str | None = Field(
        description="The id of the model, member or API key, or the name of the channel or provider. Null: "
        "deleted, or for `key`, not submitted with one."
    )
    label: str = Field(description="Its name for people.")
    edits: int = Field(description="Edits that completed.")
    failed: int = Field(description="Edits that failed or were canceled; not those that were never approved.")
    credits: int = Field(description="Credits that were charged.")
    returned: int = Field(description="Credits that were held and returned.")


class UsageOut(Schema):
    success: Success = True
    data: list[UsageRow] = Field(description="The rows, the most recent days first.")
    pagination: Page = Field(description="The position in the list.")


@router.get(
    "/usage",
    response={200: UsageOut} | errors(),
    auth=READ,
    operation_id="usage",
    summary="Report usage",
    tags=["Usage"],
)
async def report(
    request: HttpRequest,
    from_: From = None,
    until: Until = None,
    group_by: GroupBy = "model",
    page: PageNumber = 1,
    per_page: PerPage = 100,
) -> Any:
    """What was spent, by day and group, at most 366 days at a time.

    The figures are everybody's if the key's holder may see them, as owners and admins may; otherwise the
    holder's own.
    """
    actor = caller(request).actor
    span = _span(actor, from_, until)
    read = partial(_page, span, Dimension(group_by), number=page, size=per_page)
    rows, labels = await in_thread(read)
    data = [_row(row, labels[row.group]) for row in rows[:per_page]]
    position = Page(page=page, per_page=per_page, has_more=len(rows) > per_page)
    return Status(200, UsageOut(data=data, pagination=position))


def _span(actor: Actor, since: date | None, until: date | None) -> Span:
    """Raises InvalidInput."""
    until = until or limits.today(actor.workspace)
    since = since or months.of(until)
    if not 0 <= (until - since).days < LONGEST:
        problem = f"The first day must not be after the last, and a report has at most {LONGEST} days."
        raise InvalidInput(problem, fields={"from": problem})
    user = None if actor.may(Permission.USAGE_VIEW) else actor.user.pk
    return Span(actor.workspace, since, until, user=user)


def _page(span: Span, dimension: Dimension, *, number: int, size: int) -> tuple[list[Row], dict[str, str]]:
    rows = usage.page(span, dimension, number=number, size=size)
    return rows, usage.labels(dimension, {row.group for row in rows})


def _row(row: Row, label: str) -> UsageRow:
    figures = row.figures
    return UsageRow(
        day=row.start,
        group=row.group or None,
        label=label,
        edits=figures.edits,
        failed=figures.failed,
        credits=figures.credits,
        returned=figures.returned,
    )
