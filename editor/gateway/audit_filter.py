"""Parsing of the audit log's filter. Invalid values are ignored: a list is no place for errors."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone

from editor.contexts.audit_sentences import GROUPS
from editor.models import Workspace
from editor.queries import audit
from editor.queries.audit import Filter, Position

LONGEST_TEXT = 254  # characters


def fields(data: QueryDict) -> dict[str, str]:
    """The valid fields of a query string; those that are not set are left out."""
    group = data.get("group", "")
    found = {
        "by": data.get("by", "").replace("\0", "").strip()[:LONGEST_TEXT],
        "group": group if group in GROUPS else "",
        "from": iso(data.get("from", "")),
        "until": iso(data.get("until", "")),
    }
    return {name: value for name, value in found.items() if value}


def read(fields: dict[str, str], *, workspace: Workspace | None) -> Filter:
    """The filter that these fields make. Days are those of the viewer's time zone, `until` included."""
    last = day(fields.get("until", ""))
    return Filter(
        workspace=workspace.pk if workspace else None,
        actions=tuple(GROUPS[fields["group"]].sentences) if "group" in fields else (),
        people=audit.people(fields["by"], workspace=workspace) if "by" in fields else None,
        since=start(day(fields.get("from", ""))),
        until=start(last + timedelta(days=1) if last and last < date.max else None),
    )


def read_position(data: QueryDict) -> Position | None:
    return Position.parse(data.get("older", ""))


def day(text: str) -> date | None:
    """The day that is written as 2026-11-30; None for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def iso(text: str) -> str:
    """The day as 2026-11-30, from 1970 on; "" for anything else."""
    found = day(text)
    return found.isoformat() if found and 1970 <= found.year < 9999 else ""


def start(of: date | None) -> datetime | None:
    """The first moment of the day in the viewer's time zone."""
    return timezone.make_aware(datetime.combine(of, time.min)) if of else None
