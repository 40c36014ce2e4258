"""The audit log as a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.http import StreamingHttpResponse

from editor.contexts import audit
from editor.gateway import csv_file
from editor.queries.audit import Filter


def response(filter: Filter, *, user_id: UUID, name: str, check: Callable[[], None]) -> StreamingHttpResponse:
    """The file with all entries that match. Raises LimitExceeded.

    check  raises once the user may no longer have it, which cuts the file off
    """
    return csv_file.response(
        columns=audit.CSV_COLUMNS,
        batch=lambda after: audit.csv_rows(filter, after=after),
        name=f"{name}-audit-log",
        user_id=user_id,
        tenant=str(filter.workspace or ""),
        check=check,
    )
