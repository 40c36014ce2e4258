"""Parsing of what the page Credits & usage shows. Invalid values are ignored, as in all filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from uuid import UUID

from django.http import QueryDict

from editor import months, words
from editor.access.actor import Actor
from editor.access.permissions import Permission
from editor.contexts.ledger import KINDS
from editor.contexts.ledger_words import STATES
from editor.contexts.usage_chart import Selection, offered_dimensions
from editor.gateway import audit_filter
from editor.models import Channel
from editor.queries import limits
from editor.queries.ledger import Filter
from editor.queries.usage import Dimension, Unit

LONGEST_SEARCH = 200  # characters
LONGEST_MODEL = 120
EARLIEST = 2000  # year
_MONTH = re.compile(r"(\d{4})-(\d\d)", re.ASCII)


def chart_fields(data: QueryDict, actor: Actor) -> dict[str, str]:
    """The valid fields of the chart; those that are not set are left out."""
    offered = [dimension.value for dimension in offered_dimensions(actor)]
    month = _month(data.get("month", ""))
    latest = months.of(limits.today(actor.workspace))
    found = {
        "by": _one_of(data.get("by", ""), offered),
        "per": _one_of(data.get("per", ""), list(Unit)),
        "month": f"{month:%Y-%m}" if month and month <= latest else "",
    }
    return {name: value for name, value in found.items() if value}


def selection(fields: Mapping[str, str], actor: Actor) -> Selection:
    today = limits.today(actor.workspace)
    return Selection(
        dimension=Dimension(fields.get("by", Dimension.MODEL)),
        unit=Unit(fields.get("per", Unit.DAY)),
        month=_month(fields.get("month", "")) or months.of(today),
    )


def ledger_fields(data: QueryDict, actor: Actor) -> dict[str, str]:
    """The valid fields of the ledger's filter; those that are not set are left out."""
    sees_all = actor.may(Permission.USAGE_VIEW)
    found = {
        "q": " ".join(_words(data.get("q", ""))),
        "person": _uuid(data.get("person", "")) if sees_all else "",
        "model": data.get("model", "").replace("\0", "")[:LONGEST_MODEL],
        "channel": _one_of(data.get("channel", ""), Channel.values),
        "key": _uuid(data.get("key", "")),
        "kind": _one_of(data.get("kind", ""), list(KINDS)),
        "state": _one_of(data.get("state", ""), list(STATES)),
        "from": audit_filter.iso(data.get("from", "")),
        "until": audit_filter.iso(data.get("until", "")),
    }
    return {name: value for name, value in found.items() if value}


def filter(fields: Mapping[str, str], actor: Actor) -> Filter:
    """The filter that these fields make. Who may not see what others spent sees their own lines only."""
    last = audit_filter.day(fields.get("until", ""))
    person = UUID(fields["person"]) if "person" in fields else None
    return Filter(
        workspace=actor.workspace,
        person=person if actor.may(Permission.USAGE_VIEW) else actor.user.pk,
        key=UUID(fields["key"]) if "key" in fields else None,
        model=fields.get("model", ""),
        channel=fields.get("channel", ""),
        kind=fields.get("kind", ""),
        state=fields.get("state", ""),
        since=audit_filter.start(audit_filter.day(fields.get("from", ""))),
        until=audit_filter.start(last + timedelta(days=1) if last else None),
        words=_words(fields.get("q", "")),
    )


def before(data: QueryDict) -> int | None:
    """The id of the last line of the page before."""
    text = data.get("before", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def _one_of(value: str, offered: list[str]) -> str:
    return value if value in offered else ""


def _month(text: str) -> date | None:
    found = _MONTH.fullmatch(text)
    if not found or int(found[1]) < EARLIEST or not 1 <= int(found[2]) <= 12:
        return None
    return date(int(found[1]), int(found[2]), 1)


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        return ""


def _words(text: str) -> tuple[str, ...]:
    """What stands between spaces, without what is only punctuation."""
    parts = text.replace("\0", " ")[:LONGEST_SEARCH].split()
    return tuple(part for part in parts if words.split(part))
