"""The ledger: one line for each edit, with the entries beneath it, and one for each other entry.

A line is the entry that began it: an edit's hold, a grant, and so on. Ids grow with time, since entries of
one account are written one after another; so pages and periods are ranges of ids.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from editor.models import LIVE, ApiKey, Image, Job, LedgerEntry, Status, Workspace
from editor.models.credits import LINES
from editor.queries import search

PAGE = 30
Kind = LedgerEntry.Kind

# Names of states in URLs, and what a line must be to have one.
STATES = {
    "running": Q(kind=Kind.HOLD, job__status__in=LIVE),
    "done": Q(kind=Kind.HOLD, job__status=Status.COMPLETED),
    "approved": Q(kind=Kind.HOLD, job__status=Status.COMPLETED, job__approved=True),
    "failed": Q(kind=Kind.HOLD, job__status=Status.FAILED),
    "canceled": Q(kind=Kind.HOLD, job__status=Status.CANCELED),
    "given": Q(kind__in=[Kind.GRANT, Kind.ALLOWANCE]),
    "corrected": Q(kind=Kind.ADJUST),
    "transferred": Q(kind=Kind.TRANSFER),
    "expired": Q(kind=Kind.EXPIRE),
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which lines to show; `since` and `until` limit when a line began, `until` excluded.

    person  who started the edit, or made the entry
    words   of the prompt, or of names; see `search.jobs_with`
    """

    workspace: Workspace
    person: UUID | None = None
    key: UUID | None = None
    model: str = ""
    channel: str = ""
    kind: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None
    words: tuple[str, ...] = ()


def lines(
    filter: Filter, *, before: int | None = None, newest: int | None = None, size: int = PAGE + 1
) -> list[LedgerEntry]:
    """The first `size` matching lines, newest first, with what they show of `job`, `actor` and `counterpart`.

    before  only lines with lower ids
    newest  the highest id to show
    """
    rows = LedgerEntry.objects.filter(LINES, account=filter.workspace.pk)
    for column in ("model", "channel", "key", "kind"):
        if value := getattr(filter, column):
            rows = rows.filter(**{column: value})
    if filter.model or filter.channel:
        rows = rows.filter(kind=Kind.HOLD)
    if filter.person:
        rows = rows.filter(actor=filter.person)
    if filter.state:
        rows = rows.filter(STATES[filter.state])
    if filter.words:
        rows = rows.filter(job__in=search.jobs_with(filter.workspace, filter.words))
    rows = _within(rows, filter)
    if before is not None:
        rows = rows.filter(id__lt=before)
    if newest is not None:
        rows = rows.filter(id__lte=newest)
    rows = rows.select_related("actor", "job__parent", "job__approval__decided_by", "counterpart__workspace")
    return list(rows.order_by("-id")[:size])


def _within(rows: QuerySet[LedgerEntry], filter: Filter) -> QuerySet[LedgerEntry]:
    """Lines of the period, by the ids of its first entry and of the first one after it."""
    entries = LedgerEntry.objects.filter(account=filter.workspace.pk).order_by("created_at")
    ids = entries.values_list("id", flat=True)
    if filter.since:
        first = ids.filter(created_at__gte=filter.since).first()
        rows = rows.none() if first is None else rows.filter(id__gte=first)
    if filter.until:
        after = ids.filter(created_at__gte=filter.until).first()
        rows = rows if after is None else rows.filter(id__lt=after)
    return rows


def entries_of(found: Collection[LedgerEntry]) -> dict[UUID, list[LedgerEntry]]:
    """All entries of the lines' edits, oldest first, by the edit's id. One query."""
    entries = defaultdict(list)
    jobs = [line.job_id for line in found if line.job_id]
    for entry in LedgerEntry.objects.filter(job__in=jobs).order_by("id"):
        assert entry.job_id
        entries[entry.job_id].append(entry)
    return dict(entries)


def entries_of_job(job: Job) -> list[LedgerEntry]:
    """All entries of the edit, oldest first."""
    return list(LedgerEntry.objects.filter(job=job).order_by("id"))


def pictures(found: Collection[LedgerEntry]) -> dict[UUID, Image]:
    """The first result of each of the lines' edits that can be shown, by the edit's id. One query."""
    jobs = [line.job_id for line in found if line.job_id]
    results = Image.objects.filter(job__in=jobs, kind=Image.Kind.RESULT, trashed_at=None)
    return {image.job_id: image for image in results.order_by("-position") if image.job_id}


def newest_id(workspace: Workspace) -> int:
    """The id of the account's newest entry; 0 before there is one."""
    ids = LedgerEntry.objects.filter(account=workspace.pk).order_by("-id").values_list("id", flat=True)
    return ids.first() or 0


def keys(workspace: Workspace, *, user: UUID | None = None) -> list[ApiKey]:
    """The workspace's API keys by name, revoked ones too, or those of one person."""
    rows: QuerySet[ApiKey, Any] = ApiKey.objects.filter(workspace=workspace)
    return list((rows.filter(created_by=user) if user else rows).order_by("name", "created_at"))
