"""Logging of refused requests."""

from __future__ import annotations

import logging


class NoTraces(logging.Filter):
    """Removes the traceback of requests that Django refused: anyone can send any number of them.

    Errors of the portal itself keep theirs.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        refused = getattr(record, "status_code", 500) < 500
        if refused and record.name.startswith(("django.request", "django.security")):
            record.exc_info = record.exc_text = None
        return True
