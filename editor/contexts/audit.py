"""The audit log: its page, the operators' page and its CSV."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from editor.contexts import audit_words
from editor.contexts.audit_sentences import GROUPS
from editor.models import AuditEntry, Workspace
from editor.queries import audit
from editor.queries.audit import Filter, Position

CSV_COLUMNS = ("Time", "Who", "Kind", "Action", "What", "Details", "From", "Workspace")
CSV_BATCH = 500  # rows in memory
# Where a cell begins: at its start, or after what spreadsheets of other locales take for the end of one.
_FORMULA = re.compile("(^|[;\t\r\n])(?=[ \t\r\n]*[=+@\uff1d\uff0b\uff0d\uff20-])")


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. `workspace` is only shown to operators; "" for the portal's own."""

    at: datetime
    when: str
    who: str
    what: str
    details: str
    address: str
    workspace: str


@dataclass(frozen=True, slots=True)
class Entries:
    """A page of entries; `older_url` is the next one. `filtered`: not all entries are shown."""

    rows: list[Row]
    older_url: str
    csv_url: str
    filtered: bool


@dataclass(frozen=True, slots=True)
class Controls:
    """The filter's fields as they are set, and what they offer."""

    values: Mapping[str, str]
    people: list[tuple[str, str]]  # email and name
    groups: list[tuple[str, str]]
    days_kept: int
    zone: str


def entries(
    filter: Filter, *, fields: Mapping[str, str], after: Position | None, url: str, csv_url: str
) -> Entries:
    """A page of the entries that match. `fields`: the filter as in the URLs of the page and of its CSV."""
    found = audit.entries(filter, after=after)
    page = found[: audit.PAGE]
    older = {**fields, "older": str(_position(page[-1]))} if len(found) > len(page) else {}
    return Entries(
        rows=rows(filter, page),
        older_url=f"{url}?{urlencode(older)}" if older else "",
        csv_url=f"{csv_url}?{urlencode(fields)}" if fields else csv_url,
        filtered=bool(fields),
    )


def controls(fields: Mapping[str, str], *, workspace: Workspace | None) -> Controls:
    people = audit.suggestions(workspace) if workspace else []
    return Controls(
        values=fields,
        people=[(user.email, user.display_name) for user in people],
        groups=[(name, group.label) for name, group in GROUPS.items()],
        days_kept=settings.AUDIT_DAYS,
        zone=str(timezone.get_current_timezone()),
    )


def page_url(workspace: Workspace, fields: Mapping[str, str]) -> str:
    url = reverse("audit", args=[workspace.slug])
    return f"{url}?{urlencode(fields)}" if fields else url


def rows(filter: Filter, found: list[AuditEntry]) -> list[Row]:
    """The entries in words, with one more query for names."""
    emails = [entry.target for entry in found if "@" in entry.target]
    names = audit.names(filter.workspace, emails) if filter.workspace and emails else {}
    return [_row(entry, names) for entry in found]


def csv_rows(filter: Filter, *, after: Position | None = None) -> tuple[list[list[str]], Position | None]:
    """The next rows of the CSV file, and the position after them; None once there are no more."""
    found = audit.entries(filter, after=after, size=CSV_BATCH)
    lines = [
        [*_csv_start(entry, row), row.what, row.details, row.address, row.workspace]
        for entry, row in zip(found, rows(filter, found), strict=True)
    ]
    more = _position(found[-1]) if len(found) == CSV_BATCH else None
    return [[harmless(cell) for cell in line] for line in lines], more


def harmless(cell: str) -> str:
    """The text so that no spreadsheet takes it for a formula."""
    return _FORMULA.sub(r"\1'", cell)


def _csv_start(entry: AuditEntry, row: Row) -> Iterator[str]:
    yield timezone.localtime(entry.created_at).isoformat(timespec="seconds")
    yield row.who
    yield entry.get_actor_kind_display()
    yield entry.action


def _position(entry: AuditEntry) -> Position:
    return Position(entry.created_at, entry.pk)


def _row(entry: AuditEntry, names: Mapping[str, str]) -> Row:
    return Row(
        at=entry.created_at,
        when=_when(timezone.localtime(entry.created_at)),
        who=audit_words.who(entry),
        what=audit_words.what(entry, names),
        details=audit_words.details(entry),
        address=entry.ip or "",
        workspace=entry.workspace.name if entry.workspace else "",
    )


def _when(local: datetime) -> str:
    """The time; on another day with its date, of another year with that."""
    today = timezone.localtime()
    if local.date() == today.date():
        return f"{local:%H:%M:%S}"
    year = "" if local.year == today.year else f" {local.year}"
    return f"{local.day} {local:%b}{year} {local:%H:%M:%S}"
