"""Parsing of the gallery's filter. Invalid values are ignored: a list is no place for errors."""

from __future__ import annotations

from uuid import UUID

from django.http import QueryDict

from editor import catalog, words
from editor.contexts.gallery import DAYS, STATUSES
from editor.models import Status
from editor.queries.gallery import Filter, Position

LONGEST_SEARCH = 200  # characters


def read(data: QueryDict) -> Filter:
    """The filter in a query string."""
    days = data.get("since", "")
    status = data.get("status", "")
    model = data.get("model", "")
    return Filter(
        words=_words(data.get("q", "")),
        by=_uuid(data.get("by", "")),
        model=model if model in catalog.catalog().models else "",
        days=int(days) if days in DAYS else None,
        starred=data.get("starred") == "1",
        status=status if status in STATUSES else Status.COMPLETED,
    )


def read_position(data: QueryDict, name: str) -> Position | None:
    """A position in the list, as in the page's links."""
    return Position.parse(data.get(name, ""))


def _words(text: str) -> tuple[str, ...]:
    """What stands between spaces, without what is only punctuation."""
    parts = text.replace("\0", " ")[:LONGEST_SEARCH].split()
    return tuple(part for part in parts if words.split(part))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
