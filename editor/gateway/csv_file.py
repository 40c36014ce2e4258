"""CSV files of any length, streamed: some hundred rows are in memory."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any
from uuid import UUID

from django.http import StreamingHttpResponse
from django.utils import timezone

from editor.concurrency import threads
from editor.gateway import streams

# Rows, and the position after them; None once there are no more. It gets that position; first, None.
Batch = Callable[[Any], tuple[list[list[str]], Any]]


def response(
    *,
    columns: Sequence[str],
    batch: Batch,
    name: str,
    user_id: UUID,
    tenant: str,
    check: Callable[[], None],
) -> StreamingHttpResponse:
    """The file `name`.csv with all rows. Raises LimitExceeded.

    tenant  the workspace, whose share of the threads it takes; "" for operators
    check   raises once the user may no longer have the file, which cuts it off
    """
    lines = _Lines(columns, batch, user_id, tenant, check)
    streams.begin(lines)
    return StreamingHttpResponse(
        lines,
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class _Lines:
    """The file in pieces. It counts as under way for as long as it is referenced."""

    def __init__(
        self, columns: Sequence[str], batch: Batch, user_id: UUID, tenant: str, check: Callable[[], None]
    ) -> None:
        self.user_id = user_id
        self._columns = columns
        self._batch = batch
        self._tenant = tenant
        self._check = check
        self._zone = timezone.get_current_timezone()  # while the file is sent, the request has ended

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield encoded([self._columns])
        position = None
        while True:
            threads.tenant.set(self._tenant)
            rows, position = await threads.in_thread(self._next, position)
            if rows:
                yield encoded(rows)
            if position is None:
                return

    def _next(self, position: Any) -> tuple[list[list[str]], Any]:
        self._check()
        with timezone.override(self._zone):
            return self._batch(position)


def encoded(rows: Iterable[Iterable[str]]) -> bytes:
    """The rows as a part of a CSV file."""
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()
