"""What the log says of requests that are wrong."""

from __future__ import annotations

import logging


class NoTraces(logging.Filter):
    """Takes the traceback off what Django logs of a request that it refused: one line is enough.

    Strangers can send as many of those as they like. Faults of the portal itself keep theirs.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        refused = getattr(record, "status_code", 500) < 500
        if refused and record.name.startswith(("django.request", "django.security")):
            record.exc_info = record.exc_text = None
        return True
