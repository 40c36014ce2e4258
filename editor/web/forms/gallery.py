"""What the gallery's filter says. What cannot be understood is left out: a list is no place for errors."""

from __future__ import annotations

import re
from uuid import UUID

from django.http import QueryDict

from editor import catalog
from editor.contexts.gallery import DAYS, STATUSES
from editor.models import Status
from editor.queries.gallery import Filter, Position

LONGEST_SEARCH = 200  # characters


def read(data: QueryDict) -> Filter:
    """The filter in an address."""
    days = data.get("since", "")
    status = data.get("status", "")
    model = data.get("model", "")
    return Filter(
        words=tuple(re.findall(r"\w+", data.get("q", "")[:LONGEST_SEARCH])),
        by=_uuid(data.get("by", "")),
        model=model if model in catalog.catalog().models else "",
        days=int(days) if days in DAYS else None,
        starred=data.get("starred") == "1",
        status=status if status in STATUSES else Status.COMPLETED,
    )


def read_position(data: QueryDict, name: str) -> Position | None:
    """A place in the list, as the page's links name it."""
    return Position.parse(data.get(name, ""))


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
