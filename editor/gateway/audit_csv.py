"""The audit log as a CSV file, streamed: a few hundred rows are in memory, however long it is."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone

from editor.concurrency import threads
from editor.contexts import audit
from editor.gateway import streams
from editor.queries.audit import Filter, Position


def response(filter: Filter, *, user_id: UUID, name: str, check: Callable[[], None]) -> StreamingHttpResponse:
    """The file with all entries that match. Raises LimitExceeded.

    check  raises once the user may no longer have it, which cuts the file off
    """
    lines = _Lines(filter, user_id, check)
    streams.begin(lines)
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}-audit-log.csv"'},
    )


class _Lines:
    """The file in pieces. It counts as under way for as long as it is referenced."""

    def __init__(self, filter: Filter, user_id: UUID, check: Callable[[], None]) -> None:
        self.user_id = user_id
        self._check = check
        self._filter = filter
        self._zone = timezone.get_current_timezone()  # while the file is sent, the request has ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield _encoded([audit.CSV_COLUMNS])
        position: Position | None = None
        while True:
            threads.tenant.set(str(self._filter.workspace or ""))
            rows, position = await threads.in_thread(self._next, position)
            if rows:
                yield _encoded(rows)
            if position is None:
                return

    def _next(self, after: Position | None) -> tuple[list[list[str]], Position | None]:
        self._check()
        with timezone.override(self._zone):
            return audit.csv_rows(self._filter, after=after)


def _encoded(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
