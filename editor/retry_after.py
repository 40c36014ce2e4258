"""Writes and parses the Retry-After header."""

from __future__ import annotations

import contextlib
import math
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from editor.errors import EditorError

HEADER = "Retry-After"


def seconds(error: EditorError) -> int | None:
    """Whole seconds to wait before a retry, at least 1; None if unknown."""
    return None if error.retry_after is None else max(1, math.ceil(error.retry_after))


def headers(error: EditorError) -> dict[str, str]:
    """The header for a response with this error; empty if the wait is unknown."""
    known = seconds(error)
    return {} if known is None else {HEADER: str(known)}


def raw_headers(error: EditorError) -> list[tuple[bytes, bytes]]:
    """The same for ASGI."""
    return [(name.lower().encode(), value.encode()) for name, value in headers(error).items()]


def parse(value: str) -> float | None:
    """Seconds from now, from either form of the header: a number or a date. None for anything else."""
    with contextlib.suppress(ValueError):
        number = float(value)
        return max(0.0, number) if math.isfinite(number) else None
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    return None
